import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type ChangeBatch, type ClusterStore, MAX_VALUE_BYTES, MAX_WRITES } from '#cluster/store'

import { collect, type ExaminedStore, type StoreCandidate } from './cluster-store-candidate.ts'
import { modelProperties } from './cluster-store-model.ts'

/** What every `ClusterStore` has to do, whatever it is made of. */
export function clusterStoreExam(candidate: StoreCandidate): void {
  const exam: Exam = (title, work) => {
    void test(`${candidate.name}: ${title}`, { timeout: 30_000 }, async (t) => {
      const examined = await candidate.open(t)
      await using _store = examined.store
      await work(examined)
    })
  }
  entries(exam)
  refusals(exam)
  watches(exam)
  leases(exam)
  modelProperties(candidate)
}

type Exam = (title: string, work: (examined: ExaminedStore) => Promise<void>) => void

async function put(store: ClusterStore, key: string, value: unknown, lease?: string): Promise<number> {
  const revision = await store.write({ puts: [{ key, value, ...(lease === undefined ? {} : { lease }) }] })
  assert.notEqual(revision, null)
  return revision ?? 0
}

const keysOf = async (store: ClusterStore, prefix: string) => (await store.range(prefix)).entries.map(({ key }) => key)

function entries(exam: Exam): void {
  exam('what was written is there with the revision that the write gave, and knows when it came to be', async ({ store }) => {
    assert.equal(await store.get('task/1'), undefined)
    const first = await put(store, 'task/1', { n: 1, text: 'grüß 🐙' })
    assert.deepEqual(await store.get('task/1'), {
      key: 'task/1',
      value: { n: 1, text: 'grüß 🐙' },
      revision: first,
      createdRevision: first,
    })
    const second = await put(store, 'task/1', { n: 2 })
    assert.ok(second > first)
    assert.deepEqual(await store.get('task/1'), { key: 'task/1', value: { n: 2 }, revision: second, createdRevision: first })
    await store.write({ deletes: ['task/1'] })
    assert.equal(await store.get('task/1'), undefined)
    const third = await put(store, 'task/1', { n: 3 })
    assert.equal((await store.get('task/1'))?.createdRevision, third)
  })

  exam('a value is what it was when it was given, whatever is done to what was given or read', async ({ store }) => {
    const value = { list: [1] }
    const written = store.write({ puts: [{ key: 'a', value }] })
    value.list.push(2)
    await written
    const read = await store.get<{ list: number[] }>('a')
    assert.deepEqual(read?.value, { list: [1] })
    try {
      read.value.list.push(3)
    } catch {
      // It may as well be one that cannot be changed.
    }
    assert.deepEqual((await store.get('a'))?.value, { list: [1] })
  })

  exam('a range is what begins with the prefix, by key, at the revision that it names', async ({ store }) => {
    for (const key of ['task/2', 'task', 'task/1', 'task0', 'tas', 'task/1/x', 'node/1']) await put(store, key, key)
    const { revision, entries: found } = await store.range('task/')
    assert.deepEqual(
      found.map(({ key, value }) => [key, value]),
      [
        ['task/1', 'task/1'],
        ['task/1/x', 'task/1/x'],
        ['task/2', 'task/2'],
      ],
    )
    assert.ok(found.every((entry) => entry.revision <= revision))
    assert.equal((await store.range('')).entries.length, 7)
    assert.deepEqual((await store.range('other/')).entries, [])
    assert.equal(await put(store, 'x', 1), revision + 1)
  })

  exam('a transaction happens when all its conditions hold, else nothing of it does', async ({ store }) => {
    const at = await put(store, 'a', 1)
    const both = (revision: number) => ({
      conditions: [
        { key: 'a', revision },
        { key: 'b', revision: 0 },
      ],
      puts: [{ key: 'b', value: 2 }],
      deletes: ['a'],
    })
    assert.equal(await store.write(both(at + 1)), null)
    assert.equal(await store.write({ ...both(at), conditions: [{ key: 'b', revision: at }] }), null)
    assert.deepEqual(await keysOf(store, ''), ['a'])
    assert.equal(await store.write(both(at)), at + 1)
    assert.deepEqual(await keysOf(store, ''), ['b'])
    assert.equal(await store.write(both(at)), null)
    assert.equal((await store.range('')).revision, at + 1)
  })

  exam('of writers that compare with the same revision at once, one gets its way', async ({ store }) => {
    const at = await put(store, 'counter', 0)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, writer) =>
        store.write({
          conditions: [{ key: 'counter', revision: at }],
          puts: [
            { key: 'counter', value: writer },
            { key: `by/${writer}`, value: writer },
          ],
        }),
      ),
    )
    const winners = outcomes.flatMap((revision, writer) => (revision === null ? [] : [{ revision, writer }]))
    assert.equal(winners.length, 1)
    assert.equal((await store.get('counter'))?.value, winners[0]?.writer)
    assert.deepEqual(await keysOf(store, 'by/'), [`by/${winners[0]?.writer}`])
  })

  exam('writes at the same time have a revision each, without a gap', async ({ store }) => {
    const before = (await store.range('')).revision
    const revisions = await Promise.all(Array.from({ length: 50 }, async (_, n) => await put(store, `k/${n}`, n)))
    assert.deepEqual(
      revisions.toSorted((a, b) => a - b),
      Array.from({ length: 50 }, (_, n) => before + 1 + n),
    )
  })

  exam('what changes nothing has no revision of its own', async ({ store }) => {
    const at = await put(store, 'a', 1)
    assert.equal(await store.write({}), at)
    assert.equal(await store.write({ conditions: [{ key: 'a', revision: at }], deletes: ['b', 'c'] }), at)
    assert.equal(await store.write({ puts: [{ key: 'a', value: 1 }] }), at + 1)
  })
}

function refusals(exam: Exam): void {
  exam('what is over the bounds is refused whole', async ({ store }) => {
    const many = Array.from({ length: MAX_WRITES + 1 }, (_, n) => ({ key: `k/${n}`, value: n }))
    const large = { key: 'large', value: 'x'.repeat(MAX_VALUE_BYTES) }
    await assert.rejects(store.write({ puts: many }), { code: 'store.too_large' })
    await assert.rejects(store.write({ puts: [{ key: 'small', value: 1 }, large] }), { code: 'store.too_large' })
    assert.deepEqual((await store.range('')).entries, [])
    const fits = { key: 'large', value: 'x'.repeat(MAX_VALUE_BYTES - 2) }
    assert.equal(typeof (await store.write({ puts: [fits] })), 'number')
    assert.equal(typeof (await store.write({ puts: many.slice(1) })), 'number')
    assert.equal((await store.range('k/')).entries.length, MAX_WRITES)
  })

  exam('a key that is written twice in one transaction is refused', async ({ store }) => {
    const one = { key: 'a', value: 1 }
    await assert.rejects(store.write({ puts: [one, { key: 'a', value: 2 }] }), { code: 'store.duplicate_key' })
    await assert.rejects(store.write({ puts: [one], deletes: ['a'] }), { code: 'store.duplicate_key' })
    await assert.rejects(store.write({ deletes: ['a', 'a'] }), { code: 'store.duplicate_key' })
    assert.deepEqual((await store.range('')).entries, [])
  })

  exam('no key and no value are refused', async ({ store }) => {
    for (const key of ['', 'x'.repeat(1025), '\ud800'])
      await assert.rejects(store.write({ puts: [{ key, value: 1 }] }), { code: 'store.key_invalid' })
    for (const value of [null, undefined])
      await assert.rejects(store.write({ puts: [{ key: 'a', value }] }), { code: 'store.value_invalid' })
  })

  exam('a closed store says so, and its watchers are told', async ({ store }) => {
    const watching = collect(store.watch('', 0, new AbortController().signal))
    await put(store, 'a', 1)
    await watching.until(1)
    await store[Symbol.asyncDispose]()
    await assert.rejects(watching.ended, { code: 'store.closed' })
    await assert.rejects(store.write({ puts: [{ key: 'a', value: 1 }] }), { code: 'store.closed' })
    await assert.rejects(store.get('a'), { code: 'store.closed' })
    await store[Symbol.asyncDispose]()
  })
}

function watches(exam: Exam): void {
  exam('a watch tells what happened already and then what happens, each transaction in one piece', async ({ store }) => {
    const before = await put(store, 't/1', 1)
    const second = await put(store, 't/2', 2)
    const stop = new AbortController()
    const watching = collect(store.watch('t/', before, stop.signal))
    await watching.until(1)
    const third = await store.write({
      puts: [
        { key: 't/3', value: 3 },
        { key: 'other', value: 0 },
      ],
      deletes: ['t/1', 't/absent'],
    })
    await put(store, 'other', 1)
    const last = await put(store, 't/3', 4)
    assert.deepEqual((await watching.until(3)).map(sorted), [
      { revision: second, changes: [{ key: 't/2', value: 2 }] },
      {
        revision: third,
        changes: [
          { key: 't/1', value: null },
          { key: 't/3', value: 3 },
        ],
      },
      { revision: last, changes: [{ key: 't/3', value: 4 }] },
    ])
    stop.abort()
    await watching.ended
    assert.equal(watching.batches.length, 3)
  })

  exam('a range and a watch from its revision see everything once, while others write', async ({ store }) => {
    const writes = Array.from({ length: 200 }, async (_, n) => await put(store, `k/${n % 17}`, n))
    const { revision, entries: found } = await store.range<number>('k/')
    const stop = new AbortController()
    const watching = collect(store.watch('k/', revision, stop.signal))
    const last = Math.max(...(await Promise.all(writes)))
    await watching.until(last - revision)
    stop.abort()
    await watching.ended
    assert.deepEqual(
      watching.batches.map((batch) => batch.revision),
      Array.from({ length: last - revision }, (_, n) => revision + 1 + n),
    )
    const seen = new Map(found.map(({ key, value }): [string, unknown] => [key, value]))
    for (const { changes } of watching.batches) for (const { key, value } of changes) seen.set(key, value)
    const now = new Map((await store.range('k/')).entries.map(({ key, value }) => [key, value]))
    assert.deepEqual(seen, now)
  })

  exam('a watcher that reads slowly misses nothing, and holds up nobody', async ({ store }) => {
    const stop = new AbortController()
    const slow = store.watch<number>('k/', 0, stop.signal)[Symbol.asyncIterator]()
    await put(store, 'k/0', 0)
    const first = await slow.next()
    assert.deepEqual(first.value?.changes, [{ key: 'k/0', value: 0 }])
    await Promise.all(Array.from({ length: 2000 }, async (_, n) => await put(store, `k/${n % 7}`, n + 1)))
    for (let n = 1; n <= 2000; n += 1) assert.equal((await slow.next()).value?.changes[0]?.value, n)
    const waiting = slow.next()
    stop.abort()
    assert.equal((await waiting).done, true)
  })

  exam('a watch whose signal came first tells nothing', async ({ store }) => {
    await put(store, 'a', 1)
    const watching = collect(store.watch('', 0, AbortSignal.abort()))
    await watching.ended
    assert.deepEqual(watching.batches, [])
  })
}

const sorted = ({ revision, changes }: ChangeBatch<unknown>) => ({
  revision,
  changes: changes.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
})

/** Whole seconds, for a store whose leases have no finer ones. */
const TTL_MS = 2000
const HALF_MS = TTL_MS / 2
/** What an implementation with real time may be late by. */
const LATE_MS = 2000

function leases(exam: Exam): void {
  exam('what was written with a lease goes in one piece when nobody renews it', async ({ store, advance }) => {
    const [kept, lost] = [await store.grantLease(TTL_MS), await store.grantLease(TTL_MS)]
    assert.notEqual(kept, lost)
    await put(store, 'kept', 1, kept)
    await put(store, 'lost/1', 1, lost)
    await put(store, 'lost/2', 1, lost)
    await put(store, 'lost/3', 1, lost)
    const at = await put(store, 'lost/3', 'free now')
    const stop = new AbortController()
    const watching = collect(store.watch('', at, stop.signal))
    for (let halves = 0; halves < (TTL_MS + LATE_MS) / HALF_MS; halves += 1) {
      await advance(HALF_MS)
      await store.renewLease(kept)
    }
    const [gone] = await watching.until(1)
    assert.deepEqual(gone === undefined ? [] : sorted(gone).changes, [
      { key: 'lost/1', value: null },
      { key: 'lost/2', value: null },
    ])
    assert.deepEqual(await keysOf(store, ''), ['kept', 'lost/3'])
    await assert.rejects(store.renewLease(lost), { code: 'store.lease_not_found' })
    await assert.rejects(store.write({ puts: [{ key: 'late', value: 1, lease: lost }] }), { code: 'store.lease_not_found' })
    stop.abort()
    await watching.ended
  })

  exam('a lease that is given back takes its keys along at once', async ({ store }) => {
    const lease = await store.grantLease(60_000)
    await put(store, 'a', 1, lease)
    await put(store, 'b', 1)
    await store.revokeLease(lease)
    assert.deepEqual(await keysOf(store, ''), ['b'])
    await store.revokeLease(lease)
    await assert.rejects(store.renewLease(lease), { code: 'store.lease_not_found' })
    await assert.rejects(store.renewLease('nonsense'), { code: 'store.lease_not_found' })
  })

  exam('a key may change hands from one lease to another', async ({ store }) => {
    const [first, second] = [await store.grantLease(60_000), await store.grantLease(60_000)]
    await put(store, 'leader', 'one', first)
    await put(store, 'leader', 'two', second)
    await store.revokeLease(first)
    assert.equal((await store.get('leader'))?.value, 'two')
    await store.revokeLease(second)
    assert.equal(await store.get('leader'), undefined)
  })

  exam('a write with a lease that is gone changes nothing, and fails nobody beside it', async ({ store }) => {
    const lease = await store.grantLease(60_000)
    await store.revokeLease(lease)
    const puts = [
      { key: 'a', value: 1 },
      { key: 'b', value: 1, lease },
    ]
    const [bad, good] = await Promise.allSettled([store.write({ puts }), store.write({ puts: [{ key: 'c', value: 1 }] })])
    assert.equal(bad.status, 'rejected')
    assert.equal(good.status, 'fulfilled')
    assert.deepEqual(await keysOf(store, ''), ['c'])
  })
}
