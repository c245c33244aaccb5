import type { DatabaseSync } from 'node:sqlite'

import { during, type GloveboxError } from '#base'

import { storeError } from './errors.ts'
import type { Reserve } from './reserve.ts'

/** How long a write is waited for: FULL for the disk at each commit; NORMAL leaves that to the next FULL one or the next checkpoint (sqlite.org/pragma.html#pragma_synchronous). */
export type Durability = 'FULL' | 'NORMAL'

/** The one way in which records change. */
export interface Writer {
  write(durability: Durability, operation: () => void): void
  atomically<R>(work: () => R): R
}

/** sqlite.org/rescode.html#full; the low byte, for extended codes carry more. */
const SQLITE_FULL = 13
/** A reserve that was given is taken again after so many writes: by then somebody has made room, or not. */
const RENEWAL_WRITES = 64

/** On a full disk the reserve is given, and what failed is done once more. Errors: `store.disk_full`. */
export function writerOf(database: DatabaseSync, reserve: Reserve): Writer {
  let durability: Durability = 'FULL'
  let sinceRenewal = 0
  /** What the transaction that is open has done so far; null: none is open. */
  let done: (() => void)[] | null = null

  const switchTo = (wanted: Durability) => {
    if (wanted === durability) return
    database.exec(`PRAGMA synchronous = ${wanted}`)
    durability = wanted
  }
  const begin = () => database.exec('BEGIN IMMEDIATE')
  const abandon = () => {
    // Some failures have ended it already.
    if (database.isTransaction) database.exec('ROLLBACK')
  }
  const withRoom = (operation: () => void, beforeRetry: () => void) => {
    try {
      operation()
    } catch (error) {
      if (!isFull(error)) throw error
      if (!reserve.give()) throw diskFull(error)
      sinceRenewal = 0
      retry(() => {
        beforeRetry()
        operation()
      })
    }
  }
  const again = () => {
    abandon()
    begin()
    for (const operation of done ?? []) operation()
  }
  const count = () => {
    sinceRenewal += 1
    if (sinceRenewal % RENEWAL_WRITES === 0) reserve.renew()
  }

  return {
    write: (wanted, operation) => {
      if (done === null) {
        switchTo(wanted)
        withRoom(operation, () => undefined)
        return count()
      }
      withRoom(operation, again)
      done.push(operation)
    },
    atomically: (work) => {
      if (done !== null) return work()
      switchTo('FULL')
      begin()
      done = []
      try {
        const result = work()
        withRoom(() => database.exec('COMMIT'), again)
        count()
        return result
      } catch (error) {
        abandon()
        throw error
      } finally {
        done = null
      }
    },
  }
}

function retry(operation: () => void): void {
  try {
    operation()
  } catch (error) {
    throw isFull(error) ? diskFull(error) : error
  }
}

function isFull(error: unknown): boolean {
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_FULL
  )
}

function diskFull(cause: unknown): GloveboxError {
  return during(
    'write a record',
    storeError('store.disk_full', 'the disk is full', { cause, hint: 'Free some space where the daemon keeps its data.' }),
  )
}
