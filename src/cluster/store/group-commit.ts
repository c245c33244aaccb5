import type { DatabaseSync } from 'node:sqlite'

import { during, fail, GloveboxError } from '#base'

import { storeError } from './errors.ts'
import { fileError } from './sqlite-file.ts'

/** Operations that came in one turn of the event loop share one transaction of the file, and so one wait for the disk. */
export interface GroupCommit {
  /**
   * Resolves when what it did is durable. An operation that throws a `GloveboxError` must not have changed anything: it alone fails. Anything else
   * that is thrown undoes the whole group, and all of it fails.
   */
  run<T>(operation: () => T): Promise<T>
  /** Waits for what was given, and takes nothing more. */
  close(): Promise<void>
}

export interface GroupHooks {
  /** The last word inside of the transaction. */
  readonly beforeCommit: () => void
  readonly committed: () => void
  /** None of the group happened. */
  readonly undone: () => void
}

/** One group holds the event loop for some milliseconds at this many small writes. */
const MAX_GROUP = 1024
/** Writers that wait beyond this are many more than there are loops: the disk does not keep up. */
const MAX_WAITING = 65_536

interface Waiting {
  readonly operation: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export function groupCommit(database: DatabaseSync, hooks: GroupHooks): GroupCommit {
  const waiting: Waiting[] = []
  let turn: Promise<void> | undefined
  let isClosed = false

  const commit = () => {
    const group = waiting.splice(0, MAX_GROUP)
    try {
      database.exec('BEGIN IMMEDIATE')
      const settle = group.map(attempt)
      hooks.beforeCommit()
      database.exec('COMMIT')
      hooks.committed()
      for (const settled of settle) settled()
    } catch (error) {
      // Some failures have ended it already.
      if (database.isTransaction) database.exec('ROLLBACK')
      hooks.undone()
      const failure = during("write to the cluster's store", fileError(error))
      for (const { reject } of group) reject(failure)
    }
  }
  const commitAll = async () => {
    while (waiting.length > 0) {
      await nextTurn()
      commit()
    }
    turn = undefined
  }
  return {
    run: async <T>(operation: () => T) => {
      if (isClosed) throw storeError('store.closed', "the cluster's store is closed")
      if (waiting.length >= MAX_WAITING)
        throw fail('queue.full', `more than ${MAX_WAITING} writes wait for the disk of the cluster's store`)
      return await new Promise<T>((resolve, reject) => {
        waiting.push({ operation, resolve: resolve as (value: unknown) => void, reject })
        turn ??= commitAll()
      })
    },
    close: async () => {
      isClosed = true
      await turn
    },
  }
}

function attempt({ operation, resolve, reject }: Waiting): () => void {
  try {
    const value = operation()
    return () => resolve(value)
  } catch (error) {
    if (!(error instanceof GloveboxError)) throw error
    return () => reject(error)
  }
}

/** After everything that this turn of the event loop still brings. */
async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => void setImmediate(resolve))
}
