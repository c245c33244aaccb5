import type { RunningProcess } from '#engine/runtime'

import type { AttachSession } from './attach-session.ts'
import type { ContainerRecord } from './record.ts'

/** A container as the daemon holds it: the record and what only lives while the daemon does. */
export interface LiveContainer {
  /** Replaced whole by the registry, never changed in place. */
  record: ContainerRecord
  /** The shim's process while it runs. */
  process: RunningProcess | null
  /** Attached before the start: wired before the first byte. */
  readonly waitingSessions: Set<AttachSession>
  readonly waiters: Set<ExitWaiter>
  /** Ends the health probes of this run. */
  health: Disposable | null
  /** The restart that is due after a back-off. */
  restart: Disposable | null
  /** Its restart policy wants it started with the daemon, and its turn has not come: `restart` takes that back. */
  isDue: boolean
  /** Failures in a row, for the back-off. */
  failures: number
  /** The user asked for the end that is coming: the restart policy leaves it alone. */
  isStopRequested: boolean
  /** A removal of a running container asked for its end: it is removed, not restarted. */
  isRemovalRequested: boolean
}

export interface ExitWaiter {
  readonly condition: 'not-running' | 'next-exit' | 'removed'
  readonly resolve: (result: { readonly exitCode: number; readonly error: string }) => void
}

export function newLive(record: ContainerRecord): LiveContainer {
  return {
    record,
    process: null,
    waitingSessions: new Set(),
    waiters: new Set(),
    health: null,
    restart: null,
    isDue: false,
    failures: 0,
    isStopRequested: false,
    isRemovalRequested: false,
  }
}

/** Tells those whose condition has come true. */
export function settleWaiters(live: LiveContainer, event: 'exit' | 'removed'): void {
  const { exitCode, error } = live.record.status
  for (const waiter of [...live.waiters]) {
    if (event === 'exit' && waiter.condition === 'removed') continue
    live.waiters.delete(waiter)
    waiter.resolve({ exitCode, error })
  }
}
