import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { renderTable } from '../output/table.ts'

const COLUMNS = [{ title: 'SERVICE' }, { title: 'NETWORK' }, { title: 'ADDRESS' }, { title: 'READY TASKS' }] as const

export const networkServices = command({
  name: 'network services',
  usage: '[FLAGS]',
  summary: 'List the addresses of services on their networks.',
  description:
    'A service has an address of its own on each network, behind which the kernel spreads new connections over its ready tasks. A service without one is found by the addresses of its tasks.',
  examples: [['network services', 'where each service is reached']],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const found = await (await context.client()).policy.addresses()
    const rows = found.map(({ stack, service, network, virtual, backends }) => [
      stack === null ? service : `${stack}/${service}`,
      network,
      virtual.length === 0 ? 'of its tasks' : virtual.join(', '),
      backends.length === 0 ? 'none' : backends.join(', '),
    ])
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(found, null, 2)}\n` : renderTable(COLUMNS, rows))
    return 0
  },
})
