import type { Clock, Digest, RecordStore } from '#base'

/** Uses within this time are written once: policies count in days, and a start must not wait for the disk. */
const GRANULARITY_MS = 60 * 60_000

/** When each image was last used: kept in memory, written now and then, and never waited for. */
export interface ImageUse {
  /** It is being used now. */
  touch(id: Digest): void
  /** Never heard of: used now, so that nothing is old because its past is unknown. */
  lastUsedMs(id: Digest): number
  /** All of them: the clock was set, and ages by the old one mean nothing. */
  touchAll(): void
  /** Forgets all but these. */
  retain(ids: ReadonlySet<Digest>): void
}

export function openImageUse(records: RecordStore, clock: Clock): ImageUse {
  const table = records.table<{ readonly ms: number }>('image_use')
  const written = new Map(table.entries().map(([id, { ms }]) => [id as Digest, ms]))
  const last = new Map(written)
  const write = (id: Digest, ms: number) => {
    try {
      table.note(id, { ms })
      written.set(id, ms)
    } catch {
      // On a full disk a container starts all the same; the next use tries again, and memory knows it until then.
    }
  }
  const forget = (id: Digest) => {
    try {
      table.forget(id)
      written.delete(id)
    } catch {
      // A line too many, until the next start.
    }
  }
  const touch = (id: Digest) => {
    const nowMs = clock.nowMs()
    last.set(id, nowMs)
    const before = written.get(id)
    if (before === undefined || Math.abs(nowMs - before) >= GRANULARITY_MS) write(id, nowMs)
  }
  return {
    touch,
    lastUsedMs: (id) => {
      if (!last.has(id)) touch(id)
      return last.get(id) ?? clock.nowMs()
    },
    touchAll: () => {
      for (const id of last.keys()) {
        last.set(id, clock.nowMs())
        write(id, clock.nowMs())
      }
    },
    retain: (ids) => {
      for (const id of [...last.keys()]) {
        if (ids.has(id)) continue
        last.delete(id)
        forget(id)
      }
    },
  }
}
