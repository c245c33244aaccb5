import type { JobView } from '#api/glovebox'

import { command } from '../command.ts'
import { formatFlag, printList } from '../list-format.ts'
import { nextText, outcomeText, scheduleText, whyText } from './texts.ts'

export const jobsLs = command({
  name: 'jobs ls',
  usage: '[FLAGS]',
  summary: 'List jobs, when they run next and what came of the last time.',
  description:
    'The next time is on the clock of the schedule’s own time zone. A time is missed when nobody was there to run it, when the job was suspended, or when it could not begin before its deadline; skipped when another run was under way.',
  examples: [
    ['jobs ls', 'all jobs'],
    ["jobs ls --format '{{.name}} {{.missed}}'", 'how many times of each were missed'],
  ],
  flags: { format: formatFlag },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const nowMs = context.clock.nowMs()
    const columns = [
      { title: 'JOB', cell: ({ name }: JobView) => name },
      { title: 'SCHEDULE', cell: scheduleText },
      { title: 'NEXT', cell: (job: JobView) => nextText(job, nowMs) },
      { title: 'LAST', cell: ({ last }: JobView) => outcomeText(last, nowMs) },
      { title: 'MISSED', align: 'right', cell: ({ missed }: JobView) => String(missed) },
      { title: 'SKIPPED', align: 'right', cell: ({ skipped }: JobView) => String(skipped) },
      { title: '', cell: whyText },
    ] as const
    printList({ columns, rows: await (await context.client()).jobs.list() }, flags.format, context)
    return 0
  },
})
