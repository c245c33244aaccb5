import type { Clock, Random } from '#base'

/** One life of a part of the control plane: it can end at any call that leaves the part, before or after its effect, as kill -9 would end it. */
export interface Life {
  readonly isOver: boolean
  end(): void
  /** The same clock, which says nothing any more to who is dead. */
  readonly clock: Clock
  /** A port whose calls come late, fail, or are the last. */
  guard<T extends object>(port: T, rates?: Partial<FaultRates>): T
}

export interface FaultRates {
  /** Of the calls, those that fail before anything is done, and after everything is. */
  readonly failsBefore: number
  readonly failsAfter: number
  readonly delays: number
  readonly maxDelayMs: number
  readonly crashes: number
}

export const NO_FAULTS: FaultRates = { failsBefore: 0, failsAfter: 0, delays: 0, maxDelayMs: 0, crashes: 0 }

export interface LifePorts {
  readonly clock: Clock
  readonly random: Random
  /** As they are at this moment. */
  readonly rates: () => FaultRates
  /** Nothing gets through: the part is cut off from the others. */
  readonly isCut: () => boolean
  readonly onDeath: () => void
}

const NEVER = new Promise<never>(() => undefined)

export function newLife({ clock, random, rates, isCut, onDeath }: LifePorts): Life {
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    onDeath()
  }
  const happens = (ratio: number) => ratio > 0 && random.integer(1_000_000) < ratio * 1_000_000
  async function call<R>(work: () => R | Promise<R>, more: Partial<FaultRates>): Promise<R> {
    const now = { ...rates(), ...more }
    if (isOver) return await NEVER
    if (happens(now.delays)) await clock.sleep(1 + random.integer(now.maxDelayMs))
    if (isOver) return await NEVER
    if (happens(now.crashes)) {
      end()
      return await NEVER
    }
    if (isCut() || happens(now.failsBefore)) throw new Error('simulated: it did not get there')
    const result = await work()
    if (isOver) return await NEVER
    if (happens(now.crashes)) {
      end()
      return await NEVER
    }
    if (happens(now.failsAfter)) throw new Error('simulated: the answer was lost')
    if (happens(now.delays)) await clock.sleep(1 + random.integer(now.maxDelayMs))
    return isOver ? await NEVER : result
  }
  const dying: Clock = {
    ...clock,
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal)
      if (isOver) await NEVER
    },
    after: (ms, then) => clock.after(ms, () => (isOver ? undefined : then())),
  }
  return {
    get isOver() {
      return isOver
    },
    end,
    clock: dying,
    guard: (port, more = {}) =>
      new Proxy(port, {
        get: (target, name, receiver) => {
          const value: unknown = Reflect.get(target, name, receiver)
          if (typeof value !== 'function') return value
          const method = value as (...given: unknown[]) => unknown
          if (name === 'watch') return (...given: unknown[]) => watched(method(...given) as AsyncIterable<unknown>, more)
          if (name === 'events' || name === 'listen')
            return (listener: (...told: unknown[]) => void) =>
              method((...told: unknown[]) => (isOver ? undefined : listener(...told)))
          return async (...given: unknown[]) => await call(() => method(...given), more)
        },
      }),
  }

  /** What a watcher is told comes late, or the line breaks. */
  async function* watched(batches: AsyncIterable<unknown>, more: Partial<FaultRates>): AsyncGenerator<unknown> {
    for await (const batch of batches) {
      const now = { ...rates(), ...more }
      if (happens(now.delays / 4)) await clock.sleep(1 + random.integer(now.maxDelayMs))
      if (isOver) await NEVER
      if (isCut() || happens(now.failsBefore)) throw new Error('simulated: the line broke')
      yield batch
    }
  }
}
