import type { StackStatus, StackSummary } from '#api/glovebox'

import { command } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { type Paint, printable } from '../output/colour.ts'
import { renderFields, renderTable } from '../output/table.ts'
import { serviceState } from '../up/follow-stack.ts'
import { urlLines } from '../up/urls.ts'

export const status = command({
  name: 'status',
  usage: '[APPLICATION]',
  summary: 'Show what an application is doing, and why it is not ready. Without a name: all of them.',
  examples: [['status guestbook', 'services, replicas, health, addresses']],
  flags: { format: formatFlag },
  operands: { min: 0, max: 1 },
  completes: ['stack'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const [name] = operands
    if (name === undefined) {
      printList({ rows: await client.glovebox.stacks(), columns: COLUMNS }, flags.format, context)
      return 0
    }
    const stack = await client.glovebox.stack(name)
    if (flags.format === undefined || flags.format === 'table') context.terminal.stdout.write(statusText(stack, context.paint))
    else printList({ rows: [stack], columns: [] }, flags.format, context)
    return stack.state === 'failed' ? 1 : 0
  },
})

const COLUMNS = [
  { title: 'APPLICATION', cell: (row: StackSummary) => row.name },
  { title: 'STATE', cell: (row: StackSummary) => row.state },
  { title: 'SERVICES', align: 'right' as const, cell: (row: StackSummary) => String(row.services) },
  { title: 'TASKS', align: 'right' as const, cell: (row: StackSummary) => `${row.runningTasks}/${row.desiredTasks}` },
  { title: 'DIRECTORY', cell: (row: StackSummary) => printable(row.directory) },
]

export function statusText(stack: StackStatus, paint: Paint): string {
  const colour = stack.state === 'ready' ? 'green' : stack.state === 'failed' ? 'red' : 'yellow'
  const head = renderFields([
    ['application', paint('bold', stack.name)],
    ['state', `${paint(colour, stack.state)} (revision ${stack.revision})`],
    ['directory', printable(stack.directory)],
  ])
  const rows = stack.services.flatMap((service) => {
    const why = service.whyNotYet === null ? '' : printable(service.whyNotYet)
    const tasks = service.tasks.map((task) => {
      const health = task.health === 'none' ? '' : `, ${task.health}`
      const restarts = task.restarts === 0 ? '' : `, restarted ${task.restarts} times`
      return [`  ${task.name}`, `${task.state}${health}${restarts}`, printable(task.message ?? '')]
    })
    return [[paint('bold', service.name), serviceState(service), why], ...tasks]
  })
  const urls = urlLines(stack.services, paint)
  return `${head}\n${renderTable([{ title: 'SERVICE' }, { title: 'STATE' }, { title: '' }], rows)}${urls === '' ? '' : `\n${urls}`}`
}
