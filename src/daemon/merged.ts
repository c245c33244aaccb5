/** Several streams as one, in the order in which their values come. */
export interface Merged<T> {
  /** Aborts when the reader has gone, or as soon as one of them fails. */
  readonly signal: AbortSignal
  add(values: AsyncIterable<T>): void
  /** Ends when all of them have; a failure of one ends the others and is thrown. */
  readonly values: AsyncGenerator<T, void, void>
}

/** Values that nobody has taken yet; whoever writes more waits. */
const MAX_WAITING = 256

export function merged<T>(outer: AbortSignal): Merged<T> {
  const ending = new AbortController()
  const signal = AbortSignal.any([outer, ending.signal])
  const waiting: T[] = []
  let running = 0
  let failure: { readonly error: unknown } | undefined
  let changed = Promise.withResolvers<void>()
  const tell = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const copy = async (values: AsyncIterable<T>) => {
    try {
      for await (const value of values) {
        while (waiting.length >= MAX_WAITING && !signal.aborted) await changed.promise
        if (signal.aborted) return
        waiting.push(value)
        tell()
      }
    } catch (error) {
      if (!signal.aborted) failure ??= { error }
      ending.abort()
    } finally {
      running -= 1
      tell()
    }
  }
  async function* take(): AsyncGenerator<T, void, void> {
    signal.addEventListener('abort', tell)
    try {
      for (;;) {
        const next = changed.promise
        const taken = waiting.splice(0)
        if (taken.length > 0) tell()
        yield* taken
        if (waiting.length > 0) continue
        if (failure !== undefined) throw failure.error
        if (running === 0 || signal.aborted) return
        await next
      }
    } finally {
      signal.removeEventListener('abort', tell)
      ending.abort()
      tell()
    }
  }
  return {
    signal,
    values: take(),
    add: (values) => {
      running += 1
      void copy(values)
    },
  }
}
