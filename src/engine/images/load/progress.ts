import { MAX_UNREAD_PROGRESS } from '../limits.ts'

/** Lets work that runs on its own tell of its progress to whoever iterates; the newest is dropped when nobody reads. */
export async function* reporting<T>(work: (report: (item: T) => void) => Promise<readonly T[]>): AsyncGenerator<T> {
  const waiting: T[] = []
  let wake = Promise.withResolvers<void>()
  let isDone = false
  const running = work((item) => {
    if (waiting.length < MAX_UNREAD_PROGRESS) waiting.push(item)
    wake.resolve()
  }).finally(() => {
    isDone = true
    wake.resolve()
  })
  running.catch(() => undefined)
  try {
    for (;;) {
      await wake.promise
      wake = Promise.withResolvers()
      while (waiting.length > 0) yield waiting.shift() as T
      if (isDone) break
    }
    // What must not be dropped comes as the result.
    yield* await running
  } finally {
    // Whoever stops listening still leaves nothing half done behind.
    await running.catch(() => undefined)
  }
}
