import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { renderTable } from '../output/table.ts'

const COLUMNS = [{ title: 'FROM' }, { title: 'TO' }, { title: 'PORTS' }, { title: 'BY' }] as const

export const policyLs = command({
  name: 'policy ls',
  usage: '[FLAGS]',
  summary: 'Show who may talk to whom.',
  description:
    'Between applications nothing may connect unless the one that is talked to says so, under `x-glovebox: policy:` in its Compose file. What a line does not name is refused. Containers of no application are judged by their networks alone.',
  examples: [['policy ls', 'all applications of this machine']],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const report = await (await context.client()).policy.report()
    const { stdout, stderr } = context.terminal
    if (!report.isEnforced)
      stderr.write('This kernel has no br_netfilter: what passes between neighbours on one network is not judged.\n')
    const rows = report.mayTalk.map(({ from, to, ports, rule }) => [from, to, ports, rule])
    stdout.write(flags.format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : renderTable(COLUMNS, rows))
    return 0
  },
})
