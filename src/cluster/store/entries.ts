import type { DatabaseSync } from 'node:sqlite'

import { storeError } from './errors.ts'
import type { Entry } from './port.ts'
import { prefixEnd } from './prefix-end.ts'

/** What is there now. Writes belong inside of a transaction. */
export interface Entries {
  get<T>(key: string): Entry<T> | undefined
  range<T>(prefix: string): readonly Entry<T>[]
  /** 0: there is none. */
  revisionOf(key: string): number
  put(key: string, text: string, revision: number, lease: number | null): void
  /** False: it was not there. */
  delete(key: string): boolean
  ofLease(lease: number): readonly string[]
}

const COLUMNS = 'key, value, revision, created'

export function entries(database: DatabaseSync): Entries {
  const one = database.prepare(`SELECT ${COLUMNS} FROM entry WHERE key = ?`)
  const below = database.prepare(`SELECT ${COLUMNS} FROM entry WHERE key >= ? AND key < ? ORDER BY key`)
  const from = database.prepare(`SELECT ${COLUMNS} FROM entry WHERE key >= ? ORDER BY key`)
  const revision = database.prepare('SELECT revision FROM entry WHERE key = ?')
  const leased = database.prepare('SELECT key FROM entry WHERE lease = ? ORDER BY key')
  const remove = database.prepare('DELETE FROM entry WHERE key = ?')
  const upsert = database.prepare(
    `INSERT INTO entry VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision, lease = excluded.lease`,
  )
  return {
    get: <T>(key: string) => {
      const row = one.get(key)
      return row === undefined ? undefined : entryOf<T>(row)
    },
    range: <T>(prefix: string) => {
      const end = prefixEnd(prefix)
      const rows = end === null ? from.all(prefix) : below.all(prefix, end)
      return rows.map((row) => entryOf<T>(row))
    },
    revisionOf: (key) => Number(revision.get(key)?.['revision'] ?? 0),
    put: (key, text, at, lease) => void upsert.run(key, text, at, at, lease),
    delete: (key) => remove.run(key).changes === 1,
    ofLease: (lease) => leased.all(lease).map((row) => String(row['key'])),
  }
}

function entryOf<T>(row: Readonly<Record<string, unknown>>): Entry<T> {
  const key = String(row['key'])
  try {
    const value = JSON.parse(String(row['value'])) as T
    return { key, value, revision: Number(row['revision']), createdRevision: Number(row['created']) }
  } catch (error) {
    throw storeError('store.file_damaged', `the value of ${key} is not JSON`, { cause: error })
  }
}
