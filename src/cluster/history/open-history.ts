import { prefixOf, type HistoryRecord } from '#cluster/model'
import type { ClusterStore } from '#cluster/store'

/** What happened to services. It is written by those who change them, together with the change. */
export interface History {
  /** The youngest first. Of services that are gone too. */
  list(wanted?: HistoryWish): Promise<readonly HistoryRecord[]>
}

export interface HistoryWish {
  /** By their names in the whole cluster; absent: of all. */
  readonly services?: readonly string[]
  /** Absent: `PLAIN_LIMIT`. */
  readonly limit?: number
  /** Only what happened before the record with this id. */
  readonly before?: string
}

const PLAIN_LIMIT = 100
/** Of one answer. */
const MAX_LIMIT = 1000

export function openHistory(store: Pick<ClusterStore, 'range'>): History {
  return {
    list: async ({ services, limit = PLAIN_LIMIT, before } = {}) => {
      const prefixes = services === undefined ? [prefixOf('history')] : services.map((name) => prefixOf('history', name))
      const ranges = await Promise.all(prefixes.map(async (prefix) => await store.range<HistoryRecord>(prefix)))
      return ranges
        .flatMap(({ entries }) => entries.map(({ value }) => value))
        .filter(({ id }) => before === undefined || id < before)
        .toSorted((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, Math.min(limit, MAX_LIMIT))
    },
  }
}
