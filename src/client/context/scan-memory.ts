import type { WireContextEntry } from '#api/glovebox'
import type { Clock } from '#base'
import type { ByteString } from '#oci/tar'

/** What the last look at a directory found, for a process that looks again and again. */
export interface ScanMemory {
  entries: readonly WireContextEntry[]
  /** Of directories by path: their names, good for as long as the directory has this stamp. */
  names: ReadonlyMap<ByteString, KnownNames>
}

export interface KnownNames {
  /** Inode and times of the directory: made, removed or renamed, a name changes them. */
  readonly stamp: string
  readonly names: readonly string[]
}

/** Somebody builds a few directories in turn. */
const MAX_ROOTS = 4
/** Beyond this the memory costs more than the time is worth. */
const MAX_ENTRIES = 50_000
/** As long as somebody edits and builds; then a daemon at rest should be small. */
const KEPT_MS = 300_000

export interface ScanMemories {
  of(root: string): ScanMemory
}

/** Memories by directory, each for a while. */
export function scanMemories(clock: Pick<Clock, 'after'>): ScanMemories {
  const known = new Map<string, { readonly memory: ScanMemory; readonly end: Disposable }>()
  const forget = (root: string) => {
    known.get(root)?.end[Symbol.dispose]()
    known.delete(root)
  }
  return {
    of: (root) => {
      const before = known.get(root)?.memory
      forget(root)
      const isKept = before !== undefined && before.entries.length <= MAX_ENTRIES
      const memory = isKept ? before : { entries: [], names: new Map<ByteString, KnownNames>() }
      known.set(root, { memory, end: clock.after(KEPT_MS, () => known.delete(root)) })
      const [oldest] = known.keys()
      if (known.size > MAX_ROOTS && oldest !== undefined) forget(oldest)
      return memory
    },
  }
}

/** The former entry when it is what it was: what is the same need not be looked at again by those who kept it. */
export function sameAsBefore(before: readonly WireContextEntry[], index: number, entry: WireContextEntry): WireContextEntry {
  const old = before[index]
  return old !== undefined && entry.every((part, at) => part === old[at]) ? old : entry
}
