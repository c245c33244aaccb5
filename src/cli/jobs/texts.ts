import type { JobView, RunView } from '#api/glovebox'

import { printable } from '../output/colour.ts'
import { roughDuration, tookText } from '../output/units.ts'
import { zonedTime } from '../output/zoned-time.ts'

/** `0 3 * * *`, or that there is none. */
export function scheduleText({ job }: JobView): string {
  return job.schedule === null ? 'once' : job.schedule.cron
}

/** When the next run comes, on the schedule's own clock. */
export function nextText(view: JobView, nowMs: number): string {
  const { job, state, suspendedBy, nextAtMs } = view
  if (state === 'suspended') return suspendedBy === 'hand' ? 'suspended by hand' : 'suspended'
  if (state !== 'active') return state
  if (job.schedule === null) return ''
  if (nextAtMs === null) return 'never'
  return `${zonedTime(nextAtMs, job.schedule.timeZone)} (in ${roughDuration(nextAtMs - nowMs)})`
}

/** `succeeded 3 hours ago`, `failed with 2, 5 minutes ago`. */
export function outcomeText(run: RunView | null, nowMs: number): string {
  if (run === null) return 'never ran'
  const ago = `${roughDuration(nowMs - (run.endedAtMs ?? run.createdAtMs))} ago`
  if (run.state === 'running') return `running since ${roughDuration(nowMs - run.createdAtMs)}`
  if (run.state === 'failed' && run.exitCode !== null) return `failed with ${run.exitCode}, ${ago}`
  return `${run.state} ${ago}`
}

/** What is odd about it: the schedule's own words where there is no next time, else why the last run did not succeed. */
export function whyText({ job, nextAtMs, state, note, last }: JobView): string {
  if (job.schedule !== null && nextAtMs === null && state === 'active') return printable(note)
  return last?.state === 'failed' || last?.state === 'cancelled' ? printable(last.reason) : ''
}

export function tookOf(run: RunView, nowMs: number): string {
  return tookText(run.tookMs ?? Math.max(0, nowMs - run.createdAtMs))
}
