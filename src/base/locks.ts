import { fail } from './errors.ts'

/** One caller at a time for each key, first come first served. Bounded, so that a stuck holder cannot gather callers without end. */
export interface KeyedLocks {
  /** Waits for its turn. Dispose to let the next one in. */
  acquire(key: string): Promise<Disposable>
  run<T>(key: string, work: () => Promise<T>): Promise<T>
}

/** More callers than this behind one key means that something is stuck. */
const MAX_WAITING = 10_000

export function keyedLocks(): KeyedLocks {
  const tails = new Map<string, { tail: Promise<void>; waiting: number }>()
  const acquire = async (key: string): Promise<Disposable> => {
    const entry = tails.get(key) ?? { tail: Promise.resolve(), waiting: 0 }
    tails.set(key, entry)
    if (entry.waiting >= MAX_WAITING) throw fail('queue.full', `more than ${MAX_WAITING} operations wait for ${key}`)
    entry.waiting += 1
    const before = entry.tail
    const { promise, resolve } = Promise.withResolvers<void>()
    entry.tail = before.then(() => promise)
    await before
    return {
      [Symbol.dispose]: () => {
        entry.waiting -= 1
        if (entry.waiting === 0) tails.delete(key)
        resolve()
      },
    }
  }
  return {
    acquire,
    run: async (key, work) => {
      using _turn = await acquire(key)
      return await work()
    },
  }
}
