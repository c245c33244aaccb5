import { backoffMs, type BackoffPolicy } from '#base'

import type { RestartSpec } from '#cluster/spec'
import type { NodeTask } from './node-port.ts'
import type { Crash } from './steps.ts'
import { LABELS } from './task-spec.ts'

/** A task that ran this long was all right: what follows is a new trouble and not the old one. */
const STABLE_MS = 10_000

/** The first restart is quick, as a crash is often alone; a minute is the longest that a fixed cause should wait to be noticed. */
const RESTART_BACKOFF: BackoffPolicy = { firstMs: 250, maxMs: 60_000 }

/** After this many ends in a row the service is called failed, though it is still tried. */
export const CRASH_LOOP_FAILURES = 5

/** Counts ends in a row, from what was known and what is seen. Pure. */
export function countCrashes(
  known: ReadonlyMap<string, Crash>,
  tasks: readonly NodeTask[],
  nowMs: number,
): ReadonlyMap<string, Crash> {
  const crashes = new Map<string, Crash>()
  for (const task of tasks) {
    if (task.labels[LABELS.stack] === undefined) continue
    const before = known.get(task.name)
    if (task.state === 'exited') crashes.set(task.name, countEnd(task, before, nowMs))
    else if (before !== undefined && !isStable(task, nowMs)) crashes.set(task.name, before)
  }
  return crashes
}

function countEnd(task: NodeTask, before: Crash | undefined, nowMs: number): Crash {
  const finishedAtMs = task.finishedAtMs ?? before?.finishedAtMs ?? nowMs
  if (before !== undefined && before.finishedAtMs === finishedAtMs) return before
  const ranMs = finishedAtMs - (task.startedAtMs ?? finishedAtMs)
  return { failures: ranMs >= STABLE_MS ? 1 : (before?.failures ?? 0) + 1, finishedAtMs }
}

function isStable(task: NodeTask, nowMs: number): boolean {
  return task.state === 'running' && task.health !== 'unhealthy' && nowMs - (task.startedAtMs ?? nowMs) >= STABLE_MS
}

export type AfterEnd =
  | { readonly next: 'done' }
  | { readonly next: 'leave'; readonly reason: string }
  | { readonly next: 'restart'; readonly atMs: number; readonly reason: string; readonly isLoop: boolean }

/** What becomes of a task that ended. `mustRun`: it was stopped by us to run again. */
export function afterEnd(task: NodeTask, policy: RestartSpec, crash: Crash, mustRun: boolean): AfterEnd {
  const ended = describeEnd(task)
  if (!mustRun) {
    if (task.exitCode === 0 && policy.condition !== 'always') return { next: 'done' }
    if (policy.condition === 'never') return { next: 'leave', reason: `${ended}, and is not to be restarted` }
    if (policy.maxAttempts > 0 && crash.failures > policy.maxAttempts)
      return { next: 'leave', reason: `${ended}, and was restarted ${policy.maxAttempts} times in vain` }
  }
  const delayMs = Math.max(policy.delayMs, backoffMs(RESTART_BACKOFF, crash.failures))
  const times = crash.failures > 1 ? ` (${crash.failures} times in a row)` : ''
  return {
    next: 'restart',
    atMs: crash.finishedAtMs + delayMs,
    reason: `${ended}${times}`,
    isLoop: crash.failures >= CRASH_LOOP_FAILURES,
  }
}

export function describeEnd(task: NodeTask): string {
  if (task.isOomKilled) return `was killed because it ran out of memory (exit code ${task.exitCode})`
  if (task.error !== '') return `could not start: ${task.error}`
  return `ended with exit code ${task.exitCode}`
}
