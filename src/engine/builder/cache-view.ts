import type { BuildCache, BuildLayers, CacheRecord } from './ports.ts'

/** Results that somebody else keeps. */
export interface ForeignCache {
  /**
   * The record, with its layer stored here; undefined when there is none. `keep` writes it down while the layer is held. Errors: `digest.*`,
   * those of the wire.
   */
  find(key: string, keep: (record: CacheRecord) => Promise<void>): Promise<CacheRecord | undefined>
}

/** The cache as one build sees it. */
export interface CacheView extends BuildCache {
  /** What the build stood on, whoever made it. */
  touched(): ReadonlyMap<string, CacheRecord>
}

/** What is not here is looked for in the caches that the build was told of, in their order. */
export function cacheView(cache: BuildCache, layers: Pick<BuildLayers, 'has'>, foreign: readonly ForeignCache[]): CacheView {
  const touched = new Map<string, CacheRecord>()
  const note = (key: string, record: CacheRecord): CacheRecord => {
    touched.set(key, record)
    return record
  }
  const isUsable = async (record: CacheRecord) =>
    record.kind !== 'layer' || record.diffId === undefined || (await layers.has(record.diffId))
  return {
    get: async (key) => {
      const known = await cache.get(key)
      if (known !== undefined && (await isUsable(known))) return note(key, known)
      for (const one of foreign) {
        const found = await one.find(key, async (record) => await cache.put(key, record))
        if (found !== undefined) return note(key, found)
      }
      return undefined
    },
    put: async (key, record) => {
      note(key, record)
      await cache.put(key, record)
    },
    note: (key, record) => {
      note(key, record)
      cache.note(key, record)
    },
    list: () => cache.list(),
    delete: async (key) => {
      touched.delete(key)
      await cache.delete(key)
    },
    touched: () => touched,
  }
}
