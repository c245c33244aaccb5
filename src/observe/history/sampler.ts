import { messageOf, type Clock, type Log } from '#base'
import type { Distribution, Reading } from '#observe/metrics'

import { SLOT_MS } from './tiers.ts'

export interface SamplerNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly read: () => Promise<Reading>
  /** Each gets every reading, with the time that it stands for. */
  readonly takers: readonly ((atMs: number, reading: Reading) => void)[]
  /** How late timers of this process fire: told once a reading. */
  readonly lateness: Distribution<readonly []>
}

/** Reads at whole tens of seconds of the wall clock, so that rates are over what they say they are. One reading at a time. */
export function startSampler({ clock, log, read, takers, lateness }: SamplerNeeds): AsyncDisposable {
  let timer: Disposable | undefined
  let running: Promise<void> | undefined
  let isClosed = false
  let lastMs = 0
  const sample = async (atMs: number) => {
    try {
      const reading = await read()
      if (!isClosed) for (const take of takers) take(atMs, reading)
    } catch (error) {
      log.warn('a sample of the metrics was not taken', { error: messageOf(error) })
    }
  }
  const schedule = () => {
    const nowMs = clock.nowMs()
    const nextMs = (Math.floor(nowMs / SLOT_MS) + 1) * SLOT_MS
    // A timer may fire in the millisecond before its time.
    const atMs = nextMs === lastMs ? nextMs + SLOT_MS : nextMs
    lastMs = atMs
    const dueMs = clock.monotonicMs() + atMs - nowMs
    timer = clock.after(atMs - nowMs, () => {
      lateness.observe([], Math.max(0, clock.monotonicMs() - dueMs) / 1000)
      running = sample(atMs).finally(() => {
        running = undefined
        if (!isClosed) schedule()
      })
    })
  }
  schedule()
  return {
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      timer?.[Symbol.dispose]()
      await running
    },
  }
}
