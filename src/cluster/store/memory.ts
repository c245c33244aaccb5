import type { Clock } from '#base'

import { encodeTransaction } from './encode-transaction.ts'
import { storeError } from './errors.ts'
import { checkTtl, leaseNotFound, leases } from './leases.ts'
import type { Change, ChangeBatch, ClusterStore, Entry, Transaction } from './port.ts'
import { wakeUps } from './watch-log.ts'

/** The store in memory, for the simulator and for tests. */
export interface MemoryStore extends ClusterStore {
  /** What happened up to now is not told to watchers any more: whoever is behind reads anew. */
  compact(): void
  /** Called with each change, before the write is answered. */
  readonly onCommit: Set<(batch: ChangeBatch<unknown>, before: (key: string) => unknown) => void>
  /** Everything, as it is. */
  peek(): ReadonlyMap<string, unknown>
}

/** Passes the exam of the port. `keptChanges`: of so many transactions watchers are told. */
export function memoryStore(clock: Clock, keptChanges = 4096): MemoryStore {
  const table = new Map<string, Entry<unknown> & { readonly lease: string | null }>()
  const values = new Map<string, unknown>()
  let log: ChangeBatch<unknown>[] = []
  let compacted = 0
  let revision = 0
  let lastLease = 0
  let isClosed = false
  const wake = wakeUps()
  const onCommit: MemoryStore['onCommit'] = new Set()
  const open = () => {
    if (isClosed) throw storeError('store.closed', "the cluster's store is closed")
  }
  const commit = (changes: readonly (Change<unknown> & { readonly lease: string | null })[]): void => {
    if (changes.length === 0) return
    revision += 1
    const before = new Map(changes.map(({ key }) => [key, table.get(key)?.value]))
    for (const { key, value, lease } of changes) {
      if (value === null) {
        table.delete(key)
        values.delete(key)
        continue
      }
      table.set(key, { key, value, revision, createdRevision: table.get(key)?.createdRevision ?? revision, lease })
      values.set(key, value)
    }
    const told = changes.map(({ key, value }) => ({ key, value })).toSorted((a, b) => (a.key < b.key ? -1 : 1))
    log.push({ revision, changes: told })
    if (log.length > keptChanges) letGo(log.length - keptChanges)
    for (const listener of onCommit) listener({ revision, changes: told }, (key) => before.get(key))
    wake.all()
  }
  const letGo = (count: number): void => {
    compacted = log[count - 1]?.revision ?? compacted
    log = log.slice(count)
  }
  const removeLease = (lease: string) =>
    commit([...table.values()].filter((entry) => entry.lease === lease).map(({ key }) => ({ key, value: null, lease: null })))
  const living = leases(clock, async (id) => await Promise.resolve(removeLease(String(id))))
  const write = (transaction: Transaction): number | null => {
    const { conditions, puts, deletes } = encodeTransaction(transaction)
    for (const { lease } of puts) if (lease !== null && !living.isAlive(Number(lease))) throw leaseNotFound(lease)
    if (conditions.some(({ key, revision: wanted }) => (table.get(key)?.revision ?? 0) !== wanted)) return null
    commit([
      ...puts.map(({ key, text, lease }) => ({ key, value: JSON.parse(text, frozen) as unknown, lease })),
      ...deletes.filter((key) => table.has(key)).map((key) => ({ key, value: null, lease: null })),
    ])
    return revision
  }
  async function* watch<T>(
    prefix: string,
    afterRevision: number,
    signal: AbortSignal,
  ): AsyncGenerator<ChangeBatch<T>, void, undefined> {
    let seen = afterRevision
    while (!signal.aborted) {
      open()
      if (seen < compacted || seen > revision)
        throw storeError(
          'store.compacted',
          `changes after revision ${seen} are not known: they are kept from ${compacted} to ${revision}`,
        )
      const next = log[log.findIndex((batch) => batch.revision > seen)]
      if (next === undefined) {
        await wake.next(signal)
        continue
      }
      seen = next.revision
      const changes = next.changes.filter(({ key }) => key.startsWith(prefix))
      if (changes.length > 0) yield { revision: seen, changes: changes as readonly Change<T>[] }
    }
  }
  return {
    onCommit,
    compact: () => letGo(log.length),
    peek: () => values,
    get: async <T>(key: string) => {
      open()
      return await Promise.resolve(publicEntry<T>(table.get(key)))
    },
    range: async <T>(prefix: string) => {
      open()
      const keys = [...table.keys()].filter((key) => key.startsWith(prefix)).toSorted()
      const entries = keys.flatMap((key) => publicEntry<T>(table.get(key)) ?? [])
      return await Promise.resolve({ revision, entries })
    },
    write: async (transaction) => {
      open()
      return await Promise.resolve(write(transaction))
    },
    watch,
    grantLease: async (ttlMs) => {
      open()
      checkTtl(ttlMs, living.size)
      lastLease += 1
      living.start(lastLease, ttlMs)
      return await Promise.resolve(String(lastLease))
    },
    renewLease: async (lease) => {
      open()
      await Promise.resolve(living.renew(Number(lease)))
    },
    revokeLease: async (lease) => {
      open()
      living.end(Number(lease))
      await Promise.resolve(removeLease(lease))
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      living[Symbol.dispose]()
      wake.all()
      await Promise.resolve()
    },
  }
}

/** Readers share what is here: who changes it is told at once, instead of all others being misled. */
function frozen(_key: string, value: unknown): unknown {
  return Object.freeze(value)
}

function publicEntry<T>(entry: Entry<unknown> | undefined): Entry<T> | undefined {
  if (entry === undefined) return undefined
  const { key, value, revision, createdRevision } = entry
  return { key, value: value as T, revision, createdRevision }
}
