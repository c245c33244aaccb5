import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { during } from '#base'

import { storeError } from './errors.ts'

/** Raised when the meaning of a table changes; an older program then refuses the file instead of misreading it. */
const SCHEMA_VERSION = 1

/**
 * `entry` is what is; `change` is what happened after revision `compacted`, a deletion without a value. The last one is the store's revision and is
 * never let go of. Keys compare by their bytes.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entry (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL, lease INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entry_lease ON entry (lease) WHERE lease IS NOT NULL;
  CREATE TABLE IF NOT EXISTS change (revision INTEGER NOT NULL, key TEXT NOT NULL, value TEXT, PRIMARY KEY (revision, key)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), compacted INTEGER NOT NULL);
  INSERT INTO place VALUES (1, 0) ON CONFLICT DO NOTHING;
  PRAGMA user_version = ${SCHEMA_VERSION};
`

/**
 * Opens or creates it, with WAL and synchronous=FULL: what was committed survives loss of power, at one fsync a commit.
 * Errors: `store.file_newer`, `store.file_damaged`, `store.file_full`.
 */
export function openFile(path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    keepPrivate(path)
    database = new DatabaseSync(path)
    database.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000; PRAGMA wal_autocheckpoint = 4000',
    )
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
    if (version > SCHEMA_VERSION)
      throw storeError(
        'store.file_newer',
        `it was written by a newer Glovebox (format ${version}, this one knows ${SCHEMA_VERSION})`,
        { hint: 'Run the newer program, or give this one another --root.' },
      )
    database.exec(SCHEMA)
    return database
  } catch (error) {
    database?.close()
    throw during(`open the cluster's store ${path}`, fileError(error))
  }
}

/** What services are told is nobody's business but root's. SQLite gives the files beside it the same mode. */
function keepPrivate(path: string): void {
  closeSync(openSync(path, 'a', PRIVATE_MODE))
  chmodSync(path, PRIVATE_MODE)
}

const PRIVATE_MODE = 0o600

/** Primary result codes of sqlite.org/rescode.html; the low byte, for extended codes carry more. */
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOT_A_DATABASE = 26

/** What SQLite says, as an error of ours where it is one that users meet. */
export function fileError(error: unknown): unknown {
  const code = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0
  if (code === SQLITE_FULL)
    return storeError('store.file_full', 'the disk is full', {
      cause: error,
      hint: 'Free some space where the daemon keeps its data.',
    })
  if (code === SQLITE_CORRUPT || code === SQLITE_NOT_A_DATABASE)
    return storeError('store.file_damaged', `the file is damaged: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
      hint: 'Put back a copy that was made while the file was whole.',
    })
  return error
}
