import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { renderTable } from '../output/table.ts'

const COLUMNS = [{ title: 'FROM' }, { title: 'TO' }, { title: 'AT' }, { title: 'PACKETS', align: 'right' }] as const

export const policyRefused = command({
  name: 'policy refused',
  usage: '[FLAGS]',
  summary: 'List connections that were refused lately.',
  description: 'Those of the last hour, most frequent first. A client that tries again counts again.',
  examples: [['policy refused', 'who was refused by whom']],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const { refused } = await (await context.client()).policy.report()
    const rows = refused.map(({ from, to, protocol, port, packets }) => [
      from,
      to,
      port === 0 ? protocol : `${protocol}/${port}`,
      String(packets),
    ])
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(refused, null, 2)}\n` : renderTable(COLUMNS, rows))
    return 0
  },
})
