import { choice } from '../args/flags.ts'
import { command } from '../command.ts'
import { answersText, entryText, sharesText } from '../output/route-page.ts'
import { renderTable } from '../output/table.ts'

const COLUMNS = [
  { title: 'ROUTE' },
  { title: 'REACHED AT' },
  { title: 'BACKENDS' },
  { title: 'SHARES' },
  { title: 'PROBLEM' },
] as const

export const routeLs = command({
  name: 'route ls',
  usage: '[FLAGS]',
  summary: 'List routes and who answers them.',
  description:
    'A route leads what comes in at a port of this host, by host name and path where it has them, to the tasks that are ready. Ports that services publish are routes too.',
  examples: [['route ls', 'all routes of this machine']],
  flags: { format: choice(['table', 'json'], 'How to print it') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const routes = await (await context.client()).routes.list()
    const rows = routes.map((route) => [route.id, entryText(route), answersText(route), sharesText(route), route.problem ?? ''])
    context.terminal.stdout.write(flags.format === 'json' ? `${JSON.stringify(routes, null, 2)}\n` : renderTable(COLUMNS, rows))
    return 0
  },
})
