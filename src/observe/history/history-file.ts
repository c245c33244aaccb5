import { closeSync, openSync, renameSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { messageOf, type Log } from '#base'

import { rowStart, TIERS, type Tier } from './tiers.ts'

/** What is on the disk: names of series, rows of their values by tier, and the journal of what is in no row yet. */
export interface HistoryFile extends Disposable {
  series(): readonly SeriesRow[]
  /** Entries of the journal, the oldest first. */
  journal(): readonly { readonly blockMs: number; readonly entry: Uint8Array }[]
  /** Both or neither. */
  addToJournal(blockMs: number, entry: Uint8Array, newSeries: readonly SeriesRow[]): void
  dropJournal(blockMs: number): void
  row(tier: Tier, id: number, startMs: number): Uint8Array | undefined
  /** Rows of one series that reach into the time, the oldest first. */
  rows(tier: Tier, id: number, fromMs: number, toMs: number): readonly { readonly startMs: number; readonly bytes: Uint8Array }[]
  putRow(tier: Tier, id: number, startMs: number, bytes: Uint8Array): void
  /** Rows that end before. */
  dropRows(tier: Tier, id: number, beforeMs: number): void
  dropSeries(id: number): void
  /** When this series was last measured: for the order in which series go. */
  touch(id: number, lastMs: number): void
  atomically(work: () => void): void
  /** Gives pages that are free back to the disk, so many at most. */
  giveBack(pages: number): void
  /** Without what is free for later rows. */
  usedBytes(): number
}

export interface SeriesRow {
  readonly id: number
  readonly name: string
  readonly labels: string
  readonly isRising: boolean
  readonly lastMs: number
}

const FORMAT = 1

/** Rows are found by one number, in which those of a series and tier are neighbours: 2^22 rows of an hour are until the year 2448. */
const ROWS = 2 ** 22
const TIER_NUMBERS = 4

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, labels TEXT NOT NULL, rising INTEGER NOT NULL, last INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS journal (number INTEGER PRIMARY KEY, block INTEGER NOT NULL, entry BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS chunk (place INTEGER PRIMARY KEY, value BLOB NOT NULL);
  PRAGMA user_version = ${FORMAT};
`

/**
 * Opens or creates it. A file that cannot be read, or is of a newer program, is put aside as `PATH.aside` and a new one begun: nobody's containers wait for their plots. WAL without a
 * wait for the disk: a power cut may take the last minutes, and leaves the file whole.
 */
export function openHistoryFile(path: string, log: Log): HistoryFile {
  let database: DatabaseSync
  try {
    database = openDatabase(path)
  } catch (error) {
    log.warn('the history of metrics cannot be read: it is put aside and begun anew', { path, error: messageOf(error) })
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    renameSync(path, `${path}.aside`)
    database = openDatabase(path)
  }
  return historyFile(database)
}

function openDatabase(path: string): DatabaseSync {
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path)
  try {
    // 1 MiB of pages in memory: it is read seldom.
    database.exec(
      'PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024',
    )
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_size_limit = 4194304')
    const version = pragma(database, 'user_version')
    if (version > FORMAT) throw new Error(`it was written by a newer Glovebox (format ${version}, this one knows ${FORMAT})`)
    database.exec(SCHEMA)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function historyFile(database: DatabaseSync): HistoryFile {
  const addSeries = database.prepare('INSERT INTO series VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING')
  const addEntry = database.prepare('INSERT INTO journal (block, entry) VALUES (?, ?)')
  const one = database.prepare('SELECT value FROM chunk WHERE place = ?')
  const some = database.prepare('SELECT place, value FROM chunk WHERE place BETWEEN ? AND ? ORDER BY place')
  const put = database.prepare('INSERT INTO chunk VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const drop = database.prepare('DELETE FROM chunk WHERE place BETWEEN ? AND ?')
  const touch = database.prepare('UPDATE series SET last = ? WHERE id = ?')
  const atomically = (work: () => void) => {
    database.exec('BEGIN')
    try {
      work()
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
  return {
    series: () =>
      database
        .prepare('SELECT id, name, labels, rising, last FROM series ORDER BY id')
        .all()
        .map((row) => ({
          id: Number(row['id']),
          name: String(row['name']),
          labels: String(row['labels']),
          isRising: Number(row['rising']) === 1,
          lastMs: Number(row['last']),
        })),
    journal: () =>
      database
        .prepare('SELECT block, entry FROM journal ORDER BY number')
        .all()
        .map((row) => ({ blockMs: Number(row['block']), entry: row['entry'] as Uint8Array })),
    addToJournal: (blockMs, entry, newSeries) =>
      atomically(() => {
        for (const { id, name, labels, isRising, lastMs } of newSeries) addSeries.run(id, name, labels, isRising ? 1 : 0, lastMs)
        addEntry.run(blockMs, entry)
      }),
    dropJournal: (blockMs) => void database.prepare('DELETE FROM journal WHERE block = ?').run(blockMs),
    row: (tier, id, startMs) => one.get(placeOfRow(tier, id, startMs))?.['value'] as Uint8Array | undefined,
    rows: (tier, id, fromMs, toMs) =>
      some.all(placeOfRow(tier, id, Math.max(0, rowStart(tier, fromMs))), placeOfRow(tier, id, toMs)).map((row) => ({
        startMs: (Number(row['place']) % ROWS) * tier.rowMs,
        bytes: row['value'] as Uint8Array,
      })),
    putRow: (tier, id, startMs, bytes) => void put.run(placeOfRow(tier, id, startMs), bytes),
    dropRows: (tier, id, beforeMs) => {
      const last = placeOfRow(tier, id, rowStart(tier, beforeMs)) - 1
      drop.run(placeOfRow(tier, id, 0), last)
    },
    dropSeries: (id) => {
      const [first] = TIERS
      drop.run(placeOfRow(first, id, 0), placeOfRow(first, id + 1, 0) - 1)
      database.prepare('DELETE FROM series WHERE id = ?').run(id)
    },
    touch: (id, lastMs) => void touch.run(lastMs, id),
    atomically,
    giveBack: (pages) => database.exec(`PRAGMA incremental_vacuum(${pages})`),
    usedBytes: () => (pragma(database, 'page_count') - pragma(database, 'freelist_count')) * pragma(database, 'page_size'),
    [Symbol.dispose]: () => database.close(),
  }
}

function placeOfRow(tier: Tier, id: number, startMs: number): number {
  return (id * TIER_NUMBERS + tier.number) * ROWS + Math.floor(startMs / tier.rowMs)
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0)
}
