import type { BuildCache, CacheRecord } from './ports.ts'

/** Forgets with the process: for tests and for daemons without a store. */
export function memoryBuildCache(): BuildCache {
  const records = new Map<string, CacheRecord>()
  return {
    get: async (key) => records.get(key),
    put: async (key, record) => void records.set(key, record),
    list: async () => [...records].map(([key, record]) => ({ key, record })),
    delete: async (key) => void records.delete(key),
  }
}
