import type { RecordStore } from '#base'

import type { CacheRecord, LocalBuildCache } from './ports.ts'

/** The cache in the node's store: a record is durable when `put` returns. */
export function buildCache(records: RecordStore): LocalBuildCache {
  const table = records.table<CacheRecord>('build-cache')
  return {
    get: (key) => table.get(key),
    put: (key, record) => table.put(key, record),
    note: (key, record) => table.note(key, record),
    list: () => table.entries().map(([key, record]) => ({ key, record })),
    delete: (key) => table.delete(key),
  }
}
