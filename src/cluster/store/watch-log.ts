import type { ChangeLog } from './change-log.ts'
import type { ChangeBatch } from './port.ts'

/** Lets those run on who wait for the next change. */
export interface WakeUps {
  all(): void
  /** Until the next change, or the signal. */
  next(signal: AbortSignal): Promise<void>
}

export function wakeUps(): WakeUps {
  const waiting = new Set<() => void>()
  return {
    all: () => {
      for (const wake of waiting) wake()
    },
    next: async (signal) => {
      if (signal.aborted) return
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        waiting.add(wake)
        signal.addEventListener('abort', wake)
      })
    },
  }
}

export interface WatchedLog {
  readonly log: ChangeLog
  readonly wake: WakeUps
  readonly revision: () => number
  /** Throws when it is not. */
  readonly open: () => void
}

/** Nothing is kept for a watcher but its place in the log: a slow one reads on where it was, or learns that this is gone. */
export async function* watchLog<T>(
  { log, wake, revision, open }: WatchedLog,
  { prefix, afterRevision, signal }: { readonly prefix: string; readonly afterRevision: number; readonly signal: AbortSignal },
): AsyncGenerator<ChangeBatch<T>, void, undefined> {
  let seen = afterRevision
  while (!signal.aborted) {
    open()
    const { batches, upTo } = log.after<T>(prefix, seen, revision())
    for (const batch of batches) {
      yield batch
      if (signal.aborted) return
    }
    seen = upTo
    if (seen === revision()) await wake.next(signal)
  }
}
