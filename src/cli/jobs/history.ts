import type { RunView } from '#api/glovebox'

import { command } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { printable } from '../output/colour.ts'
import { localTime } from '../output/units.ts'
import { zonedTime } from '../output/zoned-time.ts'
import { tookOf } from './texts.ts'

export const jobsHistory = command({
  name: 'jobs history',
  usage: '[FLAGS] JOB',
  summary: 'List the runs of a job, the youngest first.',
  description: 'As many are kept as keep_succeeded and keep_failed of the schedule say, three of each by default.',
  examples: [
    ['jobs history shop/backup', 'what ran, why, for how long, and how it ended'],
    ["jobs history --format '{{.name}} {{.exitCode}}' shop/backup", 'exit codes alone'],
  ],
  flags: { format: formatFlag },
  operands: { min: 1, max: 1 },
  completes: ['job'],
  run: async ({ flags, operands: [name = ''] }, context) => {
    const { jobs } = await context.client()
    const [job, runs] = await Promise.all([jobs.inspect(name), jobs.history(name)])
    const nowMs = context.clock.nowMs()
    const zone = job.job.schedule?.timeZone
    const columns = [
      { title: 'RUN', cell: (run: RunView) => run.name },
      { title: 'CAUSE', cell: ({ cause }: RunView) => cause },
      { title: 'DUE', cell: ({ dueAtMs }: RunView) => (zone === undefined ? localTime(dueAtMs) : zonedTime(dueAtMs, zone)) },
      { title: 'BEGAN', cell: ({ createdAtMs }: RunView) => localTime(createdAtMs) },
      { title: 'TOOK', align: 'right', cell: (run: RunView) => tookOf(run, nowMs) },
      { title: 'ATTEMPTS', align: 'right', cell: ({ attempts }: RunView) => String(attempts) },
      { title: 'STATE', cell: ({ state }: RunView) => state },
      { title: 'EXIT', align: 'right', cell: ({ exitCode }: RunView) => (exitCode === null ? '' : String(exitCode)) },
      { title: 'REASON', cell: ({ reason }: RunView) => printable(reason) },
    ] as const
    printList({ columns, rows: runs }, flags.format, context)
    return 0
  },
})
