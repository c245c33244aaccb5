import { backoffMs, GloveboxError, type Clock, type Random } from '#base'

import { MAX_RETRY_AFTER_MS, MAX_TRIES, RETRY_BACKOFF } from './limits.ts'

export interface RetryNeeds {
  readonly clock: Clock
  readonly random: Random
}

const PASSING = new Set(['registry.connection_lost', 'registry.overloaded', 'registry.timeout'])

/** Whether the same request may go well in a moment. */
export function isPassing(error: unknown): error is GloveboxError {
  return error instanceof GloveboxError && PASSING.has(error.code)
}

/** Sleeps before the next try: doubling, the upper half of it by chance, so that many clients do not come back together; or as asked. */
export async function pause({ clock, random }: RetryNeeds, failures: number, error: unknown, signal: AbortSignal): Promise<void> {
  const fullMs = backoffMs(RETRY_BACKOFF, failures)
  const waitMs = fullMs / 2 + random.integer(Math.max(1, Math.floor(fullMs / 2)))
  await clock.sleep(Math.max(waitMs, retryAfterMs(error)), signal)
}

function retryAfterMs(error: unknown): number {
  const asked = error instanceof GloveboxError ? error.details['retryAfterMs'] : undefined
  return typeof asked === 'number' ? Math.min(asked, MAX_RETRY_AFTER_MS) : 0
}

/** Tries `work` a bounded number of times as long as what goes wrong may pass. `work` must be harmless when done twice. */
export async function withRetries<T>(needs: RetryNeeds, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isPassing(error) || failures >= MAX_TRIES || signal.aborted) throw error
      await pause(needs, failures, error, signal)
    }
  }
}
