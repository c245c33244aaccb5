import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { renderTable } from '../output/table.ts'

const COLUMNS = [
  { title: 'SERVICE' },
  { title: 'NETWORK' },
  { title: 'ON IT TOO' },
  { title: 'ADDRESS' },
  { title: 'READY TASKS' },
] as const

export const networkResolve = command({
  name: 'network resolve',
  usage: '[FLAGS] FROM NAME',
  summary: 'Say what the name of a service means to somebody, and why.',
  description:
    'FROM is a container, or a service such as shop/web. Names of services are answered on the networks that both are on; those that nobody there has are looked for among containers and then outside. Exit code 1 when no service answers to the name.',
  examples: [['network resolve shop/web db', 'what db is to the service web of shop']],
  flags: { format: choice(['text', 'json'], 'How to print it') },
  operands: { min: 2, max: 2 },
  completes: ['service', 'service'],
  run: async ({ flags, operands: [from = '', name = ''] }, context) => {
    const found = await (await context.client()).policy.explain(from, name)
    const rows = found.holders.map(({ stack, service, network, isShared, virtual, backends }) => [
      stack === null ? service : `${stack}/${service}`,
      network,
      isShared ? 'yes' : 'no',
      virtual.length === 0 ? 'of its tasks' : virtual.join(', '),
      backends.length === 0 ? 'none' : backends.join(', '),
    ])
    const answer = found.addresses === null ? 'no service' : found.addresses.length === 0 ? 'nobody' : found.addresses.join(', ')
    const text = `${found.name} is ${answer}: ${found.reason}.\n${rows.length === 0 ? '' : renderTable(COLUMNS, rows)}`
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(found, null, 2)}\n` : text)
    return found.addresses === null ? 1 : 0
  },
})
