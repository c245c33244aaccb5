import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'

import fc from 'fast-check'

import { virtualClock } from '#base'

import { collect } from '../../../test/exam/cluster-store-candidate.ts'
import { clusterStoreExam } from '../../../test/exam/cluster-store.ts'
import type { ClusterStore } from './port.ts'
import { prefixEnd } from './prefix-end.ts'
import { openSqliteStore } from './sqlite.ts'

function scratch(t: Pick<TestContext, 'after'>): string {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-cluster-store-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function firstOf(store: ClusterStore, afterRevision: number) {
  return await store.watch('', afterRevision, AbortSignal.timeout(10_000))[Symbol.asyncIterator]().next()
}

clusterStoreExam({
  name: 'sqlite',
  open: async (t) => {
    const clock = virtualClock()
    const store = openSqliteStore({ path: join(scratch(t), 'cluster.db'), clock })
    return await Promise.resolve({ store, advance: clock.advance })
  },
})

test('what was written is there after closing, and revisions and leases go on', async (t) => {
  const path = join(scratch(t), 'cluster.db')
  const clock = virtualClock()
  let lease: string
  {
    await using store = openSqliteStore({ path, clock })
    lease = await store.grantLease(1000)
    assert.equal(await store.write({ puts: [{ key: 'kept', value: 1 }] }), 1)
    assert.equal(await store.write({ puts: [{ key: 'leased', value: 1, lease }] }), 2)
    assert.equal(await store.write({ puts: [{ key: 'gone', value: 1 }] }), 3)
    // Nobody waits for it, and it is written all the same.
    void store.write({ deletes: ['gone'] })
  }
  await clock.advance(60_000)
  await using store = openSqliteStore({ path, clock })
  const keys = async () => (await store.range('')).entries.map(({ key }) => key)
  assert.deepEqual(await keys(), ['kept', 'leased'])
  await clock.advance(999)
  await store.renewLease(lease)
  await clock.advance(999)
  assert.deepEqual(await keys(), ['kept', 'leased'])
  assert.notEqual(await store.grantLease(1000), lease)
  await clock.advance(2)
  assert.deepEqual(await keys(), ['kept'])
  assert.equal(await store.write({ puts: [{ key: 'next', value: 1 }] }), 6)
  const stop = new AbortController()
  const watching = collect(store.watch('', 1, stop.signal))
  await watching.until(5)
  assert.deepEqual(
    watching.batches.map(({ revision }) => revision),
    [2, 3, 4, 5, 6],
  )
  stop.abort()
})

test('a watcher comes from what is on the disk only to what is in memory as well, without a seam', async (t) => {
  const path = join(scratch(t), 'cluster.db')
  const clock = virtualClock()
  const puts = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ key: `k/${from + n}`, value: from + n }))
  {
    await using store = openSqliteStore({ path, clock })
    await Promise.all(Array.from({ length: 700 }, async (_, n) => store.write({ puts: puts(n * 3, 3) })))
  }
  await using store = openSqliteStore({ path, clock })
  const watching = collect(store.watch('k/', 0, AbortSignal.timeout(20_000)))
  await Promise.all(Array.from({ length: 700 }, async (_, n) => store.write({ puts: puts(n * 3, 3), deletes: ['absent'] })))
  const batches = await watching.until(1400)
  assert.deepEqual(
    batches.map(({ revision }) => revision),
    Array.from({ length: 1400 }, (_, n) => n + 1),
  )
  assert.ok(batches.every(({ changes }) => changes.length === 3))
})

test('old changes go when there are too many of them, and who wants those is told', async (t) => {
  const path = join(scratch(t), 'cluster.db')
  const open = () => openSqliteStore({ path, clock: virtualClock(), log: { maxChanges: 160, maxBytes: 1 << 20 } })
  {
    await using store = open()
    const stop = new AbortController()
    const idle = collect(store.watch('quiet/', 0, stop.signal))
    const slow = store.watch('', 0, stop.signal)[Symbol.asyncIterator]()
    await store.write({ puts: [{ key: 'k', value: 0 }] })
    await slow.next()
    for (let n = 1; n < 400; n += 1) await store.write({ puts: [{ key: 'k', value: n }] })
    await assert.rejects(slow.next(), { code: 'store.compacted' })
    await store.write({ puts: [{ key: 'quiet/1', value: 1 }] })
    // Nothing happened below it: it is not behind.
    await idle.until(1)
    stop.abort()
  }
  await using store = open()
  await assert.rejects(firstOf(store, 100), { code: 'store.compacted' })
  const { revision } = await store.range('')
  assert.equal(revision, 401)
  const watching = collect(store.watch('', revision - 149, AbortSignal.timeout(10_000)))
  assert.equal((await watching.until(149)).at(-1)?.revision, 401)
  await assert.rejects(firstOf(store, revision + 1), { code: 'store.compacted' })
})

test('the log is bounded by its bytes as well, and the last transaction always stays', async (t) => {
  const store = openSqliteStore({
    path: join(scratch(t), 'cluster.db'),
    clock: virtualClock(),
    log: { maxChanges: 1000, maxBytes: 10_000 },
  })
  await using _store = store
  for (let n = 0; n < 30; n += 1) await store.write({ puts: [{ key: 'k', value: 'x'.repeat(1000) }] })
  await assert.rejects(firstOf(store, 15), { code: 'store.compacted' })
  const last = await store.write({ puts: [{ key: 'large', value: 'x'.repeat(50_000) }] })
  const watching = collect(store.watch('', (last ?? 0) - 1, AbortSignal.timeout(10_000)))
  assert.equal((await watching.until(1))[0]?.revision, last)
})

test('when the file cannot be written a group fails whole, and the next one goes on where it was', async (t) => {
  const path = join(scratch(t), 'cluster.db')
  await using store = openSqliteStore({ path, clock: virtualClock() })
  await store.write({ puts: [{ key: 'a', value: 1 }] })
  const other = new DatabaseSync(path)
  other.exec("CREATE TRIGGER refuse BEFORE INSERT ON change WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'planned'); END")
  const outcomes = await Promise.allSettled(['b', 'bad', 'c'].map(async (key) => store.write({ puts: [{ key, value: 1 }] })))
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  assert.equal(await store.write({ puts: [{ key: 'd', value: 1 }] }), 2)
  other.close()
  assert.deepEqual(
    (await store.range('')).entries.map(({ key, revision }) => [key, revision]),
    [
      ['a', 1],
      ['d', 2],
    ],
  )
})

test('nobody but the owner reads the file, nor what SQLite keeps beside it', async (t) => {
  const path = join(scratch(t), 'cluster.db')
  writeFileSync(path, '', { mode: 0o644 })
  await using store = openSqliteStore({ path, clock: virtualClock() })
  await store.write({ puts: [{ key: 'a', value: 1 }] })
  for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
})

test('a file of a newer program and a damaged one are refused by name', async (t) => {
  const directory = scratch(t)
  const newer = join(directory, 'newer.db')
  const database = new DatabaseSync(newer)
  database.exec('PRAGMA user_version = 99')
  database.close()
  assert.throws(() => openSqliteStore({ path: newer, clock: virtualClock() }), { code: 'store.file_newer' })
  const damaged = join(directory, 'damaged.db')
  writeFileSync(damaged, 'this is no database at all, whatever its name says'.repeat(100))
  assert.throws(() => openSqliteStore({ path: damaged, clock: virtualClock() }), { code: 'store.file_damaged' })
  await Promise.resolve()
})

test('the end of a prefix is after all that begin with it and before all else', () => {
  const bytes = (text: string) => Buffer.from(text)
  const text = fc.string({ unit: 'binary', maxLength: 4 }).filter((value) => value.isWellFormed())
  fc.assert(
    fc.property(text, text, (prefix, other) => {
      const end = prefixEnd(prefix)
      const isBelow = bytes(other).compare(bytes(prefix)) >= 0 && (end === null || bytes(other).compare(bytes(end)) < 0)
      assert.equal(isBelow, other.startsWith(prefix))
      assert.ok(end === null || bytes(prefix + other).compare(bytes(end)) < 0)
    }),
  )
})
