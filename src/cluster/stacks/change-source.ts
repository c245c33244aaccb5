import { fail } from '#base'

import type { ChangeSource } from './watch.ts'

export interface AnnouncedChanges extends ChangeSource {
  /** Whoever waits for the next change goes on, and who listens hears of it. */
  announce(): void
  /** Something may be seen differently: whoever waits goes on. */
  wake(): void
  listen(changed: () => void): Disposable
  /** Whoever waits is told that nothing will come any more. */
  end(): void
}

export function changeSource(): AnnouncedChanges {
  let waiter = newWaiter()
  let isOver = false
  const listeners = new Set<() => void>()
  const wake = () => {
    if (isOver) return
    waiter.resolve()
    waiter = newWaiter()
  }
  return {
    wake,
    listen: (changed) => {
      listeners.add(changed)
      return { [Symbol.dispose]: () => void listeners.delete(changed) }
    },
    announce: () => {
      for (const listener of listeners) listener()
      wake()
    },
    next: async (signal) => {
      if (signal === undefined) return await waiter.promise
      if (signal.aborted) throw cancelled()
      const { promise: aborted, reject } = Promise.withResolvers<never>()
      const abort = () => reject(cancelled())
      signal.addEventListener('abort', abort, { once: true })
      try {
        await Promise.race([waiter.promise, aborted])
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
    end: () => {
      isOver = true
      waiter.reject(cancelled())
    },
  }
}

function newWaiter(): PromiseWithResolvers<void> {
  const waiter = Promise.withResolvers<void>()
  // Nobody may be waiting when it is over.
  waiter.promise.catch(() => undefined)
  return waiter
}

function cancelled() {
  return fail('operation.cancelled', 'nobody waits for the stack any more')
}
