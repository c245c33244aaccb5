import { isKind, messageOf, type Clock, type Log } from '#base'
import type { ChangeBatch, ClusterStore } from '#cluster/store'

/** What stands in the store, followed without a gap: one consistent picture that is at most a moment old. */
export interface Mirror extends AsyncDisposable {
  /** Of the picture. 0: there is none yet. */
  revision(): number
  /** Everything below a prefix, by key. */
  range<T>(prefix: string): readonly MirrorEntry<T>[]
  get<T>(key: string): MirrorEntry<T> | undefined
  /** Revision of the key as the picture has it; 0: it is not there. */
  revisionOf(key: string): number
  /** Called after each change of the picture. */
  listen(listener: (batch: ChangeBatch<unknown>) => void): Disposable
  /** Resolves when there is a picture. */
  readonly opened: Promise<void>
}

export interface MirrorEntry<T> {
  readonly key: string
  readonly value: T
  readonly revision: number
}

/** What the loop of the services plans from. */
export const SERVICE_PREFIXES = ['node', 'service', 'revision', 'task', 'run', 'turn', 'alive', 'name', 'schedule'].map(
  (kind) => `${kind}/`,
)

/** The store does not answer, or lost the changes in between. */
const RETRY_MS = 500

/** Follows all keys of the given kinds: `prefixes` such as `task/`. */
export function openMirror(ports: {
  readonly store: ClusterStore
  readonly clock: Clock
  readonly log: Log
  readonly prefixes: readonly string[]
}): Mirror {
  const { store, clock, log, prefixes } = ports
  const tables = new Map<string, Map<string, MirrorEntry<unknown>>>(prefixes.map((prefix) => [prefix, new Map()]))
  const listeners = new Set<(batch: ChangeBatch<unknown>) => void>()
  const opened = Promise.withResolvers<void>()
  const ending = new AbortController()
  let revision = 0
  const tableOf = (key: string) => tables.get(`${key.slice(0, key.indexOf('/'))}/`)

  const take = (batch: ChangeBatch<unknown>): void => {
    for (const { key, value } of batch.changes) {
      if (value === null) tableOf(key)?.delete(key)
      else tableOf(key)?.set(key, { key, value, revision: batch.revision })
    }
    revision = batch.revision
    for (const listener of listeners) listener(batch)
  }
  const readAll = async (): Promise<void> => {
    const all = await store.range<unknown>('')
    for (const table of tables.values()) table.clear()
    for (const entry of all.entries) tableOf(entry.key)?.set(entry.key, entry)
    revision = all.revision
    opened.resolve()
    for (const listener of listeners) listener({ revision, changes: [] })
  }
  const follow = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        await readAll()
        for await (const batch of store.watch<unknown>('', revision, ending.signal)) take(batch)
      } catch (error) {
        if (ending.signal.aborted) return
        if (isKind(error, 'conflict')) continue
        log.warn('the store could not be followed', { error: messageOf(error) })
        await clock.sleep(RETRY_MS, ending.signal).catch(() => undefined)
      }
    }
  }
  const following = follow()
  return {
    opened: opened.promise,
    revision: () => revision,
    range: <T>(prefix: string) => {
      const entries: MirrorEntry<T>[] = []
      for (const [key, entry] of tableOf(prefix) ?? []) if (key.startsWith(prefix)) entries.push(entry as MirrorEntry<T>)
      return entries.sort((a, b) => (a.key < b.key ? -1 : 1))
    },
    get: <T>(key: string) => tableOf(key)?.get(key) as MirrorEntry<T> | undefined,
    revisionOf: (key) => tableOf(key)?.get(key)?.revision ?? 0,
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await following
    },
  }
}
