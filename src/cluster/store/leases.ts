import { fail, type Clock } from '#base'

import { storeError } from './errors.ts'

/** Which leases live, and when each ends. In memory: what is durable is the store's. */
export interface Leases extends Disposable {
  start(id: number, ttlMs: number): void
  /** Errors: `store.lease_not_found`. */
  renew(id: number): void
  isAlive(id: number): boolean
  /** From now on it is not there, whatever becomes of its keys. */
  end(id: number): void
  readonly size: number
}

/** A node has one, and a lock or two: far more than there can be nodes. */
export const MAX_LEASES = 16_384
/** Keys of a lease that ran out while the disk was full, until they are tried again. */
const RETRY_MS = 1000

/** `expire` deletes what was written with a lease, and rejects if it could not. */
export function leases(clock: Clock, expire: (id: number) => Promise<void>): Leases {
  const alive = new Map<number, { readonly ttlMs: number; timer: Disposable }>()
  const retries = new Set<Disposable>()
  let isOver = false
  const sweep = (id: number) => {
    expire(id).catch(() => {
      if (isOver) return
      const again = clock.after(RETRY_MS, () => {
        retries.delete(again)
        sweep(id)
      })
      retries.add(again)
    })
  }
  const arm = (id: number, ttlMs: number) =>
    clock.after(ttlMs, () => {
      alive.delete(id)
      sweep(id)
    })
  return {
    start: (id, ttlMs) => {
      if (!isOver) alive.set(id, { ttlMs, timer: arm(id, ttlMs) })
    },
    renew: (id) => {
      const lease = alive.get(id)
      if (lease === undefined) throw leaseNotFound(String(id))
      lease.timer[Symbol.dispose]()
      lease.timer = arm(id, lease.ttlMs)
    },
    isAlive: (id) => alive.has(id),
    end: (id) => {
      alive.get(id)?.timer[Symbol.dispose]()
      alive.delete(id)
    },
    get size() {
      return alive.size
    },
    [Symbol.dispose]: () => {
      isOver = true
      for (const { timer } of alive.values()) timer[Symbol.dispose]()
      for (const retry of retries) retry[Symbol.dispose]()
      alive.clear()
    },
  }
}

export function checkTtl(ttlMs: number, size: number): void {
  if (!Number.isFinite(ttlMs) || ttlMs <= 0) throw fail('input.invalid', `a lease of ${ttlMs} ms: it has to be more than 0`)
  if (size >= MAX_LEASES) throw storeError('store.too_many_leases', `there are ${size} leases; ${MAX_LEASES} is the most`)
}

export function leaseNotFound(lease: string) {
  return storeError('store.lease_not_found', `there is no lease ${lease}: it ran out, or was given back`)
}
