import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

import { during, type RecordStore, type RecordTable } from '#base'

import { storeError } from './errors.ts'
import { openReserve } from './reserve.ts'
import { writerOf, type Writer } from './writer.ts'

/** Raised when the meaning of a table changes; an older program then refuses the file instead of misreading it. */
const SCHEMA_VERSION = 1

export interface OpenStore extends RecordStore, Disposable {}

/**
 * Opens or creates the file. WAL with synchronous=FULL: a record that was written survives loss of power, at one fsync a write.
 * A full disk has room for some records more: see the reserve. Errors: `store.newer_version`, `store.corrupt`, `store.disk_full`.
 */
export function openStore(path: string): OpenStore {
  const database = openDatabase(path)
  const tables = new Map<string, RecordTable<unknown>>()
  const writer = writerOf(database, openReserve(`${path}.reserve`))
  return {
    table: <T>(name: string) => {
      const known = tables.get(name) ?? sqliteTable(database, name, writer)
      tables.set(name, known)
      return known as RecordTable<T>
    },
    atomically: (work) => writer.atomically(work),
    [Symbol.dispose]: () => database.close(),
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    keepPrivate(path)
    const database = new DatabaseSync(path)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000')
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
    if (version > SCHEMA_VERSION) {
      database.close()
      throw storeError(
        'store.newer_version',
        `${path} was written by a newer Glovebox (format ${version}, this one knows ${SCHEMA_VERSION})`,
        {
          hint: 'Run the newer program, or give this one another --root.',
        },
      )
    }
    database.exec(
      `CREATE TABLE IF NOT EXISTS record (kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID; PRAGMA user_version = ${SCHEMA_VERSION}`,
    )
    return database
  } catch (error) {
    throw during(`open the store ${path}`, error)
  }
}

/** Records hold environments of containers: nobody but root reads them. SQLite gives the files beside it the same mode. */
function keepPrivate(path: string): void {
  closeSync(openSync(path, 'a', PRIVATE_MODE))
  chmodSync(path, PRIVATE_MODE)
}

const PRIVATE_MODE = 0o600

function sqliteTable(database: DatabaseSync, kind: string, writer: Writer): RecordTable<unknown> {
  const select: StatementSync = database.prepare('SELECT value FROM record WHERE kind = ? AND key = ?')
  const all: StatementSync = database.prepare('SELECT key, value FROM record WHERE kind = ? ORDER BY key')
  const upsert: StatementSync = database.prepare(
    'INSERT INTO record VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  )
  const remove: StatementSync = database.prepare('DELETE FROM record WHERE kind = ? AND key = ?')
  return {
    entries: () => all.all(kind).map((row) => [String(row['key']), parse(kind, row['key'], row['value'])] as const),
    get: (key) => {
      const row = select.get(kind, key)
      return row === undefined ? undefined : parse(kind, key, row['value'])
    },
    put: (key, value) => {
      const text = JSON.stringify(value)
      writer.write('FULL', () => void upsert.run(kind, key, text))
    },
    delete: (key) => writer.write('FULL', () => void remove.run(kind, key)),
    note: (key, value) => {
      const text = JSON.stringify(value)
      writer.write('NORMAL', () => void upsert.run(kind, key, text))
    },
    forget: (key) => writer.write('NORMAL', () => void remove.run(kind, key)),
  }
}

function parse(kind: string, key: unknown, text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch (error) {
    throw storeError('store.corrupt', `the ${kind} record ${String(key)} is not JSON`, { cause: error })
  }
}
