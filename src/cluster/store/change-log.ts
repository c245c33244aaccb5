import type { DatabaseSync } from 'node:sqlite'

import { storeError } from './errors.ts'
import type { Change, ChangeBatch } from './port.ts'
import { prefixEnd } from './prefix-end.ts'
import { recentChanges, type StoredChange, valueOfChange } from './recent-changes.ts'

/** What happened, bounded: the oldest changes go when there are too many or too large ones. */
export interface ChangeLog {
  /** Inside of a transaction. */
  add(revision: number, key: string, text: string | null): void
  /** Inside of a transaction: lets go of the oldest if there are too many. The youngest revision stays. */
  compact(revision: number): void
  committed(): void
  /** Call when a transaction was undone. */
  reload(): void
  /**
   * The next changes below a prefix, whole transactions, some hundred at a time; `upTo` is how far they were looked for.
   * Errors: `store.compacted`.
   */
  after<T>(prefix: string, afterRevision: number, revision: number): ChangePage<T>
}

export interface ChangePage<T> {
  readonly batches: readonly ChangeBatch<T>[]
  readonly upTo: number
}

export interface LogBounds {
  readonly maxChanges: number
  readonly maxBytes: number
}

/** Some minutes of a busy cluster: whoever was away longer reads everything anew, which costs no more than reading these. */
export const LOG_BOUNDS: LogBounds = { maxChanges: 65_536, maxBytes: 64 << 20 }
/** Let go of in lots of a sixteenth, for each costs a query. */
const LOT = 16
/** What a watcher holds in memory at a time, unless a single transaction is larger. */
const PAGE_CHANGES = 256
const PAGE_BYTES = 4 << 20

export function changeLog(database: DatabaseSync, { maxChanges, maxBytes }: LogBounds): ChangeLog {
  const insert = database.prepare('INSERT INTO change VALUES (?, ?, ?)')
  const size = database.prepare('SELECT count(*) AS changes, total(length(value)) AS bytes FROM change')
  const oldest = database.prepare(
    'SELECT revision, count(*) AS changes, total(length(value)) AS bytes FROM change GROUP BY revision ORDER BY revision',
  )
  const drop = database.prepare('DELETE FROM change WHERE revision <= ?')
  const place = database.prepare('SELECT compacted FROM place')
  const setPlace = database.prepare('UPDATE place SET compacted = ?')
  const below = database.prepare(
    'SELECT revision, key, value FROM change WHERE revision > ? AND key >= ? AND key < ? ORDER BY revision, key',
  )
  const all = database.prepare('SELECT revision, key, value FROM change WHERE revision > ? AND key >= ? ORDER BY revision, key')
  const recent = recentChanges()
  let [changes, bytes, compacted] = [0, 0, 0]
  const reload = () => {
    recent.undo()
    const row = size.get()
    changes = Number(row?.['changes'] ?? 0)
    bytes = Number(row?.['bytes'] ?? 0)
    compacted = Number(place.get()?.['compacted'] ?? 0)
  }
  reload()

  const letGo = (revision: number) => {
    const [leaveChanges, leaveBytes] = [maxChanges - maxChanges / LOT, maxBytes - maxBytes / LOT]
    for (const row of oldest.iterate()) {
      if (Number(row['revision']) >= revision || (changes <= leaveChanges && bytes <= leaveBytes)) break
      compacted = Number(row['revision'])
      changes -= Number(row['changes'])
      bytes -= Number(row['bytes'])
    }
    drop.run(compacted)
    setPlace.run(compacted)
  }
  const stored = (prefix: string, afterRevision: number) => {
    const end = prefixEnd(prefix)
    const rows = end === null ? all.iterate(afterRevision, prefix) : below.iterate(afterRevision, prefix, end)
    return rows as unknown as Iterable<StoredChange>
  }
  return {
    add: (revision, key, text) => {
      insert.run(revision, key, text)
      recent.add({ revision, key, value: text })
      changes += 1
      bytes += text?.length ?? 0
    },
    compact: (revision) => {
      if (changes > maxChanges || bytes > maxBytes) letGo(revision)
    },
    committed: () => recent.commit(),
    reload,
    after: <T>(prefix: string, afterRevision: number, revision: number) => {
      if (afterRevision < compacted || afterRevision > revision)
        throw storeError(
          'store.compacted',
          `changes after revision ${afterRevision} are not known: they are kept from ${compacted} to ${revision}`,
          { hint: 'Read the range again and watch from its revision.' },
        )
      const changed = recent.after(afterRevision) ?? stored(prefix, afterRevision)
      return pageOf<T>(changed, prefix, revision)
    },
  }
}

function pageOf<T>(changed: Iterable<StoredChange>, prefix: string, revision: number): ChangePage<T> {
  const batches: { readonly revision: number; readonly changes: Change<T>[] }[] = []
  let [changes, bytes] = [0, 0]
  for (const row of changed) {
    if (!row.key.startsWith(prefix)) continue
    if (batches.at(-1)?.revision !== row.revision) {
      if (changes >= PAGE_CHANGES || bytes >= PAGE_BYTES) return { batches, upTo: batches.at(-1)?.revision ?? revision }
      batches.push({ revision: row.revision, changes: [] })
    }
    batches.at(-1)?.changes.push({ key: row.key, value: valueOfChange(row) as T | null })
    changes += 1
    bytes += row.value?.length ?? 0
  }
  return { batches, upTo: revision }
}
