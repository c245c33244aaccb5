import type { Clock } from '#base'

import type { Route } from './port.ts'

/** Backends whose processes have ended, whatever is still said of them. */
export interface Withdrawals {
  /** It does not come back. */
  add(id: string): void
  has(backendId: string): boolean
  /** The routes without them. */
  without(routes: readonly Route[]): readonly Route[]
  /** Counts up with each. */
  count(): number
}

/** Whoever says what to route has heard of an end by then. */
const REMEMBERED_MS = 60_000

export function withdrawals(clock: Clock): Withdrawals {
  const ended = new Map<string, number>()
  let count = 0
  const forgetOld = () => {
    for (const [id, atMs] of ended) {
      if (clock.monotonicMs() - atMs < REMEMBERED_MS) return
      ended.delete(id)
    }
  }
  const has = (id: string) => ended.has(id) || ended.has(id.slice(0, Math.max(0, id.lastIndexOf('.'))))
  return {
    add: (id) => {
      forgetOld()
      ended.delete(id)
      ended.set(id, clock.monotonicMs())
      count += 1
    },
    has,
    without: (routes) =>
      ended.size === 0
        ? routes
        : routes.map((route) => {
            const backends = route.backends.filter((backend) => !has(backend.id))
            return backends.length === route.backends.length ? route : { ...route, backends }
          }),
    count: () => count,
  }
}
