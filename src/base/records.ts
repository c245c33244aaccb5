/**
 * A durable table of one kind of record, as a port: what `put` returned from is there after a crash.
 * Values are plain JSON values; the table gives back fresh copies.
 */
export interface RecordTable<T> {
  entries(): readonly (readonly [key: string, value: T])[]
  get(key: string): T | undefined
  put(key: string, value: T): void
  /** Absent is fine. */
  delete(key: string): void
  /**
   * As `put`, for what a power cut makes meaningless, such as that a process runs: there after any death of this process, but not
   * waited for on the disk.
   */
  note(key: string, value: T): void
  /** As `delete`, in the same way. */
  forget(key: string): void
}

/** Gives each module its tables; `atomically` makes several writes one. */
export interface RecordStore {
  table<T>(name: string): RecordTable<T>
  atomically<R>(work: () => R): R
}

/** For tests: keeps nothing. */
export function memoryRecords(): RecordStore {
  const tables = new Map<string, Map<string, string>>()
  return {
    table: <T>(name: string): RecordTable<T> => {
      const rows = tables.get(name) ?? new Map<string, string>()
      tables.set(name, rows)
      return {
        entries: () => [...rows].map(([key, text]) => [key, JSON.parse(text) as T] as const),
        get: (key) => {
          const text = rows.get(key)
          return text === undefined ? undefined : (JSON.parse(text) as T)
        },
        put: (key, value) => void rows.set(key, JSON.stringify(value)),
        delete: (key) => void rows.delete(key),
        note: (key, value) => void rows.set(key, JSON.stringify(value)),
        forget: (key) => void rows.delete(key),
      }
    },
    atomically: (work) => work(),
  }
}
