import { isKind, messageOf, type Clock, type Log } from '#base'
import { prefixOf, type HistoryRecord } from '#cluster/model'
import { MAX_WRITES, type ClusterStore } from '#cluster/store'

import { KEPT_IN_ALL } from './bounds.ts'
import { keptOf, planKeeping, type Kept } from './keeping-plan.ts'

/** Nothing happens for days: what is too old goes all the same. */
const LOOK_EVERY_MS = 6 * 3_600_000
/** The store does not answer, or lost the changes in between. */
const RETRY_MS = 1000

/** Lets the oldest of the history go, as it grows. What it knows is made anew from the records at any time. */
export function startHistoryKeeping(ports: {
  readonly store: ClusterStore
  readonly clock: Clock
  readonly log: Log
}): AsyncDisposable {
  const { store, clock, log } = ports
  const ending = new AbortController()
  const byService = new Map<string, Map<string, Kept>>()
  let count = 0

  const take = (key: string, record: HistoryRecord | null): void => {
    const service = serviceOf(key)
    const kept = byService.get(service) ?? new Map<string, Kept>()
    count -= kept.delete(key) ? 1 : 0
    if (record !== null) {
      kept.set(key, keptOf(key, record))
      count += 1
    }
    if (kept.size === 0) byService.delete(service)
    else byService.set(service, kept)
  }
  const prune = async (services: Iterable<string>): Promise<void> => {
    const looked = count > KEPT_IN_ALL ? byService.keys() : services
    const all = [...looked].flatMap((service) => [...(byService.get(service)?.values() ?? [])])
    const going = planKeeping(all, clock.nowMs())
    for (let at = 0; at < going.length; at += MAX_WRITES) await store.write({ deletes: going.slice(at, at + MAX_WRITES) })
  }
  const follow = async (): Promise<void> => {
    byService.clear()
    count = 0
    const { revision, entries } = await store.range<HistoryRecord>(prefixOf('history'))
    for (const { key, value } of entries) take(key, value)
    await prune(byService.keys())
    for await (const batch of store.watch<HistoryRecord>(prefixOf('history'), revision, ending.signal)) {
      for (const { key, value } of batch.changes) take(key, value)
      const grown = batch.changes.filter(({ value }) => value !== null)
      if (grown.length > 0) await prune(new Set(grown.map(({ key }) => serviceOf(key))))
    }
  }
  const looking = again()
  const following = followOn()

  async function followOn(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await follow()
      } catch (error) {
        if (ending.signal.aborted) return
        if (isKind(error, 'conflict')) continue
        log.warn('the history could not be followed', { error: messageOf(error) })
        await clock.sleep(RETRY_MS, ending.signal).catch(() => undefined)
      }
    }
  }
  async function again(): Promise<void> {
    while (!ending.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, ending.signal).catch(() => undefined)
      if (ending.signal.aborted) return
      await prune(byService.keys()).catch((error: unknown) =>
        log.warn('old history could not be removed', { error: messageOf(error) }),
      )
    }
  }
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort()
      await Promise.all([following, looking])
    },
  }
}

function serviceOf(key: string): string {
  return key.slice(prefixOf('history').length, key.lastIndexOf('/'))
}
