import { useEffect, useState } from 'preact/hooks'

/** A value that tells who looks at it when it changes. */
export interface Value<T> {
  get(): T
  set(next: T): void
  listen(then: () => void): () => void
}

export function createValue<T>(first: T): Value<T> {
  let value = first
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
    listen: (then) => {
      listeners.add(then)
      return () => void listeners.delete(then)
    },
  }
}

export function useValue<T>(value: Value<T>): T {
  const [, draw] = useState({})
  useEffect(() => value.listen(() => draw({})), [value])
  return value.get()
}
