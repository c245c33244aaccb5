import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { ChangeBatch, ClusterStore, Entry } from '#cluster/store'

import { collect, type StoreCandidate } from './cluster-store-candidate.ts'

/** Few keys, so that transactions meet. */
const KEYS = ['a/1', 'a/2', 'a/3', 'b/1', 'b/2'] as const
const CASES = 40

/** A condition by how the key is at the time: as it is, absent, or changed since. */
interface Wish {
  readonly conditions: readonly { readonly key: string; readonly expects: 'present' | 'absent' | 'stale' }[]
  readonly writes: readonly { readonly key: string; readonly value: number | null }[]
  /** Is given together with the one before. */
  readonly isConcurrent: boolean
}

const wish: fc.Arbitrary<Wish> = fc.record({
  conditions: fc.array(fc.record({ key: fc.constantFrom(...KEYS), expects: fc.constantFrom('present', 'absent', 'stale') }), {
    maxLength: 2,
  }),
  writes: fc.uniqueArray(fc.record({ key: fc.constantFrom(...KEYS), value: fc.option(fc.nat(9)) }), {
    maxLength: 3,
    selector: ({ key }) => key,
  }),
  isConcurrent: fc.boolean(),
})

/** Whatever is written in whatever order, the store is what a map with a counter would be, and a watch tells how it came to be. */
export function modelProperties({ name, open, cases = CASES }: StoreCandidate): void {
  test(`${name}: does what a map with a counter does, and tells all of it to who watches`, { timeout: 60_000 }, async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { maxLength: 25 }), fc.nat(10), async (wishes, joinsAt) => {
        const { store } = await open(t)
        await using _store = store
        await followModel(store, wishes, joinsAt)
      }),
      { numRuns: cases },
    )
  })
}

async function followModel(store: ClusterStore, wishes: readonly Wish[], joinsAt: number): Promise<void> {
  const start = (await store.range('')).revision
  const model = modelStore(start)
  const stop = new AbortController()
  const whole = collect(store.watch('', start, stop.signal))
  const part = collect(store.watch('a/', start, stop.signal))
  let late: { readonly from: number; readonly watching: ReturnType<typeof collect> } | undefined
  for (const [number, group] of groupsOf(wishes).entries()) {
    if (number === joinsAt) late = { from: model.revision(), watching: collect(store.watch('', model.revision(), stop.signal)) }
    const transactions = group.map((one) => ({
      conditions: one.conditions.map(({ key, expects }) => ({ key, revision: revisionFor(model.entry(key), expects) })),
      puts: one.writes.flatMap(({ key, value }) => (value === null ? [] : [{ key, value }])),
      deletes: one.writes.flatMap(({ key, value }) => (value === null ? [key] : [])),
    }))
    const outcomes = await Promise.all(transactions.map(async (transaction) => store.write(transaction)))
    // Those of one moment have an order: the one in which they were given.
    assert.deepEqual(
      outcomes,
      transactions.map((transaction) => model.write(transaction)),
    )
    assert.deepEqual(await store.range(''), { revision: model.revision(), entries: model.entries() })
  }
  await tells(whole, model.history)
  await tells(part, below(model.history, 'a/'))
  if (late !== undefined) {
    const { from } = late
    await tells(
      late.watching,
      model.history.filter(({ revision }) => revision > from),
    )
  }
  stop.abort()
  await Promise.all([whole.ended, part.ended, late?.watching.ended])
}

/** Writes that are given one after another, and those that come together. */
function groupsOf(wishes: readonly Wish[]): readonly (readonly Wish[])[] {
  const groups: Wish[][] = []
  for (const one of wishes) {
    const last = groups.at(-1)
    if (one.isConcurrent && last !== undefined) last.push(one)
    else groups.push([one])
  }
  return groups
}

function revisionFor(entry: Entry<unknown> | undefined, expects: Wish['conditions'][number]['expects']): number {
  if (expects === 'absent') return 0
  return expects === 'present' ? (entry?.revision ?? 0) : (entry?.revision ?? 1) + 1
}

async function tells(watching: ReturnType<typeof collect>, wanted: readonly ChangeBatch<unknown>[]): Promise<void> {
  await watching.until(wanted.length)
  const seen = watching.batches.map(({ revision, changes }) => ({
    revision,
    changes: changes.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  }))
  assert.deepEqual(seen, wanted)
}

function below(history: readonly ChangeBatch<unknown>[], prefix: string): readonly ChangeBatch<unknown>[] {
  return history
    .map(({ revision, changes }) => ({ revision, changes: changes.filter(({ key }) => key.startsWith(prefix)) }))
    .filter(({ changes }) => changes.length > 0)
}

interface ModelTransaction {
  readonly conditions: readonly { readonly key: string; readonly revision: number }[]
  readonly puts: readonly { readonly key: string; readonly value: unknown }[]
  readonly deletes: readonly string[]
}

function modelStore(start: number) {
  const entries = new Map<string, Entry<unknown>>()
  const history: ChangeBatch<unknown>[] = []
  let revision = start
  const write = ({ conditions, puts, deletes }: ModelTransaction): number | null => {
    if (conditions.some((condition) => (entries.get(condition.key)?.revision ?? 0) !== condition.revision)) return null
    const present = deletes.filter((key) => entries.has(key))
    if (puts.length + present.length === 0) return revision
    revision += 1
    for (const { key, value } of puts)
      entries.set(key, { key, value, revision, createdRevision: entries.get(key)?.createdRevision ?? revision })
    for (const key of present) entries.delete(key)
    const changes = [...puts.map(({ key, value }) => ({ key, value })), ...present.map((key) => ({ key, value: null }))]
    history.push({ revision, changes: changes.toSorted((a, b) => (a.key < b.key ? -1 : 1)) })
    return revision
  }
  return {
    write,
    history,
    revision: () => revision,
    entry: (key: string) => entries.get(key),
    entries: () => [...entries.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  }
}
