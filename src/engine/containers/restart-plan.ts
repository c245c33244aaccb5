import { backoffMs } from '#base'

import type { ContainerStatus } from './record.ts'
import type { RestartSpec } from './spec.ts'

export interface RestartFacts {
  readonly policy: RestartSpec
  readonly exitCode: number
  readonly isManuallyStopped: boolean
  /** Restarts in a row, each after a run shorter than `SETTLED_MS`. */
  readonly failures: number
  /** Restarts since the user last started it. */
  readonly restartCount: number
}

export type RestartPlan = { readonly restart: true; readonly afterMs: number } | { readonly restart: false; readonly why: string }

/** A run of this length ends a row of failures, as dockerd has it. */
export const SETTLED_MS = 10_000
/** Doubling from 100 ms to a minute: quick for a hiccup, gentle on the machine in a crash loop. */
const RESTART_BACKOFF = { firstMs: 100, maxMs: 60_000 }

/** What the restart policy says after an exit. */
export function planRestart(facts: RestartFacts): RestartPlan {
  const { policy } = facts
  const afterMs = backoffMs(RESTART_BACKOFF, facts.failures + 1)
  if (policy.name === 'no') return { restart: false, why: 'the restart policy is "no"' }
  if (facts.isManuallyStopped) return { restart: false, why: 'it was stopped by hand' }
  if (policy.name !== 'on-failure') return { restart: true, afterMs }
  if (facts.exitCode === 0) return { restart: false, why: 'it ended with exit code 0 and the restart policy is "on-failure"' }
  if (policy.maximumRetryCount > 0 && facts.restartCount >= policy.maximumRetryCount)
    return { restart: false, why: `it was restarted ${facts.restartCount} times, the maximum of its restart policy` }
  return { restart: true, afterMs }
}

/** What the restart policy says of a container that is not running when the daemon starts. */
export function shouldStartWithDaemon(
  policy: RestartSpec,
  status: Pick<ContainerStatus, 'state' | 'isManuallyStopped' | 'exitCode' | 'restartCount'>,
): boolean {
  if (status.state === 'created' || status.state === 'removing' || status.state === 'dead') return false
  if (policy.name === 'always') return true
  if (policy.name === 'unless-stopped') return !status.isManuallyStopped
  const isExhausted = policy.maximumRetryCount > 0 && status.restartCount >= policy.maximumRetryCount
  if (policy.name === 'on-failure') return !status.isManuallyStopped && status.exitCode !== 0 && !isExhausted
  return false
}
