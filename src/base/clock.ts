import { setTimeout as delay } from 'node:timers/promises'

import { fail } from './errors.ts'

/** Time as a port, so that loops run on a virtual clock in tests. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  nowMs(): number
  /** Wall clock, nanoseconds since 1970, for timestamps that clients compare. */
  nowNs(): bigint
  /** Never goes back; for durations. */
  monotonicMs(): number
  /** Rejects with `operation.cancelled` when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Runs `then` once after `ms`; dispose to cancel. Does not keep the process alive. */
  after(ms: number, then: () => void): Disposable
}

export function systemClock(): Clock {
  const originNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()
  return {
    nowMs: () => Date.now(),
    nowNs: () => originNs + process.hrtime.bigint(),
    monotonicMs: () => performance.now(),
    sleep: async (ms, signal) => {
      try {
        await delay(ms, undefined, signal === undefined ? {} : { signal })
      } catch (error) {
        throw fail('operation.cancelled', 'the wait was cancelled', { cause: error })
      }
    },
    after: (ms, then) => {
      const timer = setTimeout(then, ms)
      timer.unref()
      return { [Symbol.dispose]: () => clearTimeout(timer) }
    },
  }
}

export interface VirtualClock extends Clock {
  /** Moves time on and runs everything that falls due, in order. */
  advance(ms: number): Promise<void>
}

/** `settle` lets run what does not wait for time, before time moves on and after. */
export function virtualClock(startMs = 1_700_000_000_000, settle = oneTurn): VirtualClock {
  let now = startMs
  let sequence = 0
  const due = new Map<number, { readonly at: number; readonly run: () => void }>()
  const schedule = (ms: number, run: () => void): number => {
    sequence += 1
    due.set(sequence, { at: now + Math.max(0, ms), run })
    return sequence
  }
  return {
    nowMs: () => now,
    nowNs: () => BigInt(now) * 1_000_000n,
    monotonicMs: () => now - startMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const cancel = () => reject(fail('operation.cancelled', 'the wait was cancelled'))
        if (signal?.aborted === true) return cancel()
        const key = schedule(ms, resolve)
        signal?.addEventListener('abort', () => due.delete(key) && cancel(), { once: true })
      }),
    after: (ms, then) => {
      const key = schedule(ms, then)
      return { [Symbol.dispose]: () => void due.delete(key) }
    },
    advance: async (ms) => {
      const target = now + ms
      for (;;) {
        await settle()
        const next = [...due.entries()].filter(([, t]) => t.at <= target).toSorted(([a, x], [b, y]) => x.at - y.at || a - b)[0]
        if (next === undefined) break
        due.delete(next[0])
        now = Math.max(now, next[1].at)
        next[1].run()
      }
      now = target
      await settle()
    },
  }
}

async function oneTurn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve))
}
