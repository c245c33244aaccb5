import { labelsOf, parseSelector, selects, type Labels } from '#observe/metrics'

import type { SeriesRow } from './history-file.ts'

/** A series that is kept, or was. */
export interface Series {
  readonly id: number
  readonly name: string
  readonly labels: Labels
  readonly isRising: boolean
  lastMs: number
}

export interface SeriesIndex {
  /** The one of that text; a new one from the second time on that it comes. Undefined: not yet, or there is no room. */
  find(name: string, labelText: string, isRising: boolean, atMs: number): Series | undefined
  /** Those that were not written down yet; they are once `write` returns. */
  writeNew(write: (rows: readonly SeriesRow[]) => void): void
  select(selector: string): readonly Series[]
  all(): readonly Series[]
  drop(id: number): void
  get(id: number): Series | undefined
  refused(): number
}

/**
 * Series that are kept at most, of those that are measured now and those that ended: 1,000 containers at a time, or 60 days in which a container is replaced every hour and a quarter.
 * When there are so many, the one that ended longest ago goes; when none has ended, new ones are not taken in.
 */
export const MAX_KEPT_SERIES = 20_000

/** Not measured for so long: it ended. */
const ENDED_AFTER_MS = 60_000

/** Series that go in one turn, for each costs a write; the others of the turn wait for the next one. */
const MAX_EVICTIONS = 50

/** `onEvict`: its rows are to go. `usedIds`: the journal may name series up to this id, which are gone. */
export function seriesIndex(rows: readonly SeriesRow[], onEvict: (id: number) => void, usedIds = 0): SeriesIndex {
  /** By name, then by labels: texts that are the same object each time are not hashed again. */
  const byName = new Map<string, Map<string, Series>>()
  const texts = new Map<number, string>()
  const byId = new Map<number, Series>()
  const fresh = new Map<number, SeriesRow>()
  /** Seen once: what lives for seconds leaves no trace. */
  const candidates = new Map<string, number>()
  let nextId = usedIds + 1
  let refused = 0
  /** Who may go, looked up once a turn. */
  let ended: { readonly atMs: number; readonly series: Series[] } = { atMs: -1, series: [] }
  const add = (row: SeriesRow): Series => {
    const series = { id: row.id, name: row.name, labels: labelsOf(row.labels), isRising: row.isRising, lastMs: row.lastMs }
    const named = byName.get(row.name) ?? new Map<string, Series>()
    byName.set(row.name, named.set(row.labels, series))
    byId.set(series.id, series)
    texts.set(series.id, row.labels)
    nextId = Math.max(nextId, series.id + 1)
    return series
  }
  for (const row of rows) add(row)
  const drop = (id: number) => {
    byName.get(byId.get(id)?.name ?? '')?.delete(texts.get(id) ?? '')
    texts.delete(id)
    byId.delete(id)
    fresh.delete(id)
  }
  const makeRoom = (atMs: number): boolean => {
    if (byId.size < MAX_KEPT_SERIES) return true
    if (ended.atMs !== atMs) {
      const gone = [...byId.values()].filter(({ lastMs }) => lastMs < atMs - ENDED_AFTER_MS)
      ended = { atMs, series: gone.sort((a, b) => b.lastMs - a.lastMs).slice(-MAX_EVICTIONS) }
    }
    const oldest = ended.series.pop()
    if (oldest === undefined) return false
    drop(oldest.id)
    onEvict(oldest.id)
    return true
  }
  return {
    find: (name, labels, isRising, atMs) => {
      const known = byName.get(name)?.get(labels)
      if (known !== undefined) return known
      const key = `${name}{${labels}`
      const sinceMs = candidates.get(key)
      if (sinceMs === undefined || sinceMs === atMs) {
        if (candidates.size >= MAX_KEPT_SERIES) candidates.clear()
        candidates.set(key, atMs)
        return undefined
      }
      if (!makeRoom(atMs)) {
        refused += 1
        return undefined
      }
      candidates.delete(key)
      const row = { id: nextId, name, labels, isRising, lastMs: atMs }
      fresh.set(row.id, row)
      return add(row)
    },
    writeNew: (write) => {
      write([...fresh.values()])
      fresh.clear()
    },
    select: (selector) => {
      const parsed = parseSelector(selector)
      const test = selects(parsed)
      return [...byId.values()].filter(({ name, labels }) => test(name, labels))
    },
    all: () => [...byId.values()],
    drop,
    get: (id) => byId.get(id),
    refused: () => refused,
  }
}
