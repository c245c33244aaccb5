import { backoffMs, type BackoffPolicy } from '#base'
import type { TaskRecord } from '#cluster/model'
import type { RestartSpec } from '#cluster/spec'

/** A task that ran this long was all right: what follows is a new trouble and not the old one. */
const STABLE_MS = 10_000
/** The first restart is quick, as a crash is often alone; a minute is the longest that a fixed cause should wait to be noticed. */
const RESTART_BACKOFF: BackoffPolicy = { firstMs: 250, maxMs: 60_000 }
/** After this many ends in a row the service is called failed, though it is still tried. */
const CRASH_LOOP_FAILURES = 5

export type AfterEnd =
  /** It was meant to end. */
  | { readonly next: 'done' }
  | { readonly next: 'leave'; readonly reason: string }
  | {
      readonly next: 'restart'
      readonly atMs: number
      readonly failures: number
      readonly reason: string
      readonly isLoop: boolean
    }

/** What becomes of the place of a task that ended by itself. `forgivenAtMs`: somebody asked for the service again then. */
export function afterEnd(task: TaskRecord, policy: RestartSpec, forgivenAtMs: number): AfterEnd {
  const { status } = task
  const ended = describeEnd(task)
  const endedAtMs = status.sinceMs
  const isForgiven = forgivenAtMs >= endedAtMs
  if (status.state === 'complete' && policy.condition !== 'always') return { next: 'done' }
  if (status.state === 'orphaned') return restart(endedAtMs, 0, ended)
  const ranMs = status.startedAtMs === undefined || status.startedAtMs === null ? 0 : endedAtMs - status.startedAtMs
  const before = ranMs >= (policy.windowMs ?? STABLE_MS) ? 0 : (task.failures ?? 0)
  const failures = isForgiven ? 0 : before + 1
  if (!isForgiven) {
    if (policy.condition === 'never') return { next: 'leave', reason: `${ended}, and is not to be restarted` }
    if (policy.maxAttempts > 0 && failures > policy.maxAttempts)
      return { next: 'leave', reason: `${ended}, and was restarted ${policy.maxAttempts} times in vain` }
  }
  const times = failures > 1 ? ` (${failures} times in a row)` : ''
  const delayMs = isForgiven ? 0 : Math.max(policy.delayMs, backoffMs(RESTART_BACKOFF, failures))
  return restart(endedAtMs + delayMs, failures, `${ended}${times}`)
}

function restart(atMs: number, failures: number, reason: string): AfterEnd {
  return { next: 'restart', atMs, failures, reason, isLoop: failures >= CRASH_LOOP_FAILURES }
}

export function describeEnd({ status }: TaskRecord): string {
  if (status.isOomKilled) return `was killed because it ran out of memory (exit code ${status.exitCode})`
  if (status.state === 'orphaned') return `was lost with its node`
  if (status.error !== '') return status.exitCode === null ? `could not start: ${status.error}` : status.error
  return `ended with exit code ${status.exitCode}`
}
