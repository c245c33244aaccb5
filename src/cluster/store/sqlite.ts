import type { DatabaseSync } from 'node:sqlite'

import type { Clock } from '#base'

import { changeLog, LOG_BOUNDS, type ChangeLog, type LogBounds } from './change-log.ts'
import { encodeTransaction, type EncodedTransaction } from './encode-transaction.ts'
import { entries, type Entries } from './entries.ts'
import { storeError } from './errors.ts'
import { groupCommit } from './group-commit.ts'
import { checkTtl, leaseNotFound, leases } from './leases.ts'
import type { ClusterStore } from './port.ts'
import { openFile } from './sqlite-file.ts'
import { watchLog, wakeUps } from './watch-log.ts'

export interface SqliteStoreOptions {
  readonly path: string
  readonly clock: Clock
  /** Left out: `LOG_BOUNDS`. */
  readonly log?: LogBounds
}

/** The cluster's store of one machine: a file. Errors: `store.file_newer`, `store.file_damaged`, `store.file_full`. */
export function openSqliteStore({ path, clock, log: bounds = LOG_BOUNDS }: SqliteStoreOptions): ClusterStore {
  const database = openFile(path)
  const place = revisionPlace(database)
  const table = entries(database)
  const log = changeLog(database, bounds)
  const wake = wakeUps()
  let isClosed = false
  let closing: Promise<void> | undefined
  const group = groupCommit(database, {
    beforeCommit: () => log.compact(place.revision()),
    committed: () => {
      log.committed()
      wake.all()
    },
    undone: () => {
      place.reload()
      log.reload()
    },
  })
  const lease = leaseTable(database)
  const removeLease = (id: number) => {
    lease.remove(id)
    const keys = table.ofLease(id)
    if (keys.length > 0) remove({ table, log }, keys, place.next())
  }
  const living = leases(clock, async (id) => await group.run(() => removeLease(id)))
  for (const { id, ttlMs } of lease.all()) living.start(id, ttlMs)
  // One that is given back may still live in memory while the group that removed it is written.
  const isAlive = (id: number) => living.isAlive(id) && lease.has(id)
  const close = async () => {
    living[Symbol.dispose]()
    await group.close()
    isClosed = true
    wake.all()
    database.close()
  }
  const open = () => {
    if (isClosed) throw storeError('store.closed', "the cluster's store is closed")
  }
  return {
    get: async (key) => {
      open()
      return await Promise.resolve(table.get(key))
    },
    range: async (prefix) => {
      open()
      return await Promise.resolve({ revision: place.revision(), entries: table.range(prefix) })
    },
    write: async (transaction) => {
      const encoded = encodeTransaction(transaction)
      return await group.run(() => apply({ table, log, isAlive, place }, encoded))
    },
    watch: (prefix, afterRevision, signal) =>
      watchLog({ log, wake, revision: () => place.revision(), open }, { prefix, afterRevision, signal }),
    grantLease: async (ttlMs) => {
      checkTtl(ttlMs, living.size)
      const id = await group.run(() => lease.add(ttlMs))
      living.start(id, ttlMs)
      return String(id)
    },
    renewLease: async (id) => {
      open()
      await Promise.resolve(living.renew(leaseNumber(id)))
    },
    revokeLease: async (id) => {
      await group.run(() => removeLease(leaseNumber(id)))
      living.end(leaseNumber(id))
    },
    [Symbol.asyncDispose]: async () => await (closing ??= close()),
  }
}

interface Tables {
  readonly table: Entries
  readonly log: ChangeLog
}

/** Every refusal comes before the first change, as a group demands. */
function apply(
  { table, log, isAlive, place }: Tables & { readonly isAlive: (lease: number) => boolean; readonly place: RevisionPlace },
  { conditions, puts, deletes }: EncodedTransaction,
): number | null {
  const unknown = puts.find((put) => put.lease !== null && !isAlive(leaseNumber(put.lease)))
  if (unknown?.lease !== undefined && unknown.lease !== null) throw leaseNotFound(unknown.lease)
  if (conditions.some(({ key, revision }) => table.revisionOf(key) !== revision)) return null
  const present = deletes.filter((key) => table.revisionOf(key) !== 0)
  if (puts.length + present.length === 0) return place.revision()
  const revision = place.next()
  for (const { key, text, lease } of puts) {
    table.put(key, text, revision, lease === null ? null : leaseNumber(lease))
    log.add(revision, key, text)
  }
  remove({ table, log }, present, revision)
  return revision
}

function remove({ table, log }: Tables, keys: readonly string[], revision: number): void {
  for (const key of keys) {
    table.delete(key)
    log.add(revision, key, null)
  }
}

interface RevisionPlace {
  revision(): number
  next(): number
  reload(): void
}

/** The number of the last change, which the log always keeps: so it goes on over restarts, and costs no write of its own. */
function revisionPlace(database: DatabaseSync): RevisionPlace {
  const select = database.prepare('SELECT max(revision) AS revision FROM change')
  const stored = () => Number(select.get()?.['revision'] ?? 0)
  let revision = stored()
  return { revision: () => revision, next: () => (revision += 1), reload: () => void (revision = stored()) }
}

/** Ids count up and are never given twice. */
function leaseTable(database: DatabaseSync) {
  const insert = database.prepare('INSERT INTO lease (ttl) VALUES (?)')
  const remove = database.prepare('DELETE FROM lease WHERE id = ?')
  const all = database.prepare('SELECT id, ttl FROM lease')
  const one = database.prepare('SELECT 1 FROM lease WHERE id = ?')
  return {
    add: (ttlMs: number) => Number(insert.run(Math.ceil(ttlMs)).lastInsertRowid),
    remove: (id: number) => void remove.run(id),
    has: (id: number) => one.get(id) !== undefined,
    all: () => all.all().map((row) => ({ id: Number(row['id']), ttlMs: Number(row['ttl']) })),
  }
}

/** What is no number of ours is no lease: 0 is none. */
function leaseNumber(id: string): number {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0
}
