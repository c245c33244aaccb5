import type { Clock } from '#base'

import type { ContextLook } from '../context.ts'
import type { ArchiveIndex } from '../context-index.ts'
import type { PackedFiles } from './pack.ts'
import type { ContextEntry } from './port.ts'

/** What was made of a list of files: as long as the list is the same it need not be made again. */
export interface RecentContext {
  readonly entries: readonly ContextEntry[]
  /** Where the index has its offsets from: good for this very value, and for none that was written or read since. */
  readonly files: PackedFiles
  readonly index: ArchiveIndex
  /** By the Dockerfile's path. */
  readonly looks: Map<string, ContextLook>
}

export interface RecentContexts {
  /** Only if the entries and the pack are the same. */
  get(home: string, entries: readonly ContextEntry[], files: PackedFiles): RecentContext | undefined
  set(home: string, recent: RecentContext): void
  forget(home: string): void
}

/** Somebody builds a few directories in turn. */
const MAX_HOMES = 4
/** Beyond this the memory costs more than the time is worth: some hundred bytes each. */
const MAX_ENTRIES = 50_000
/** As long as somebody edits and builds; then a daemon at rest should be small. */
const KEPT_MS = 300_000

export function recentContexts(clock: Pick<Clock, 'after'>): RecentContexts {
  const known = new Map<string, { readonly recent: RecentContext; readonly end: Disposable }>()
  const forget = (home: string) => {
    known.get(home)?.end[Symbol.dispose]()
    known.delete(home)
  }
  return {
    get: (home, entries, files) => {
      const found = known.get(home)?.recent
      return found?.files === files && isSameList(found.entries, entries) ? found : undefined
    },
    set: (home, recent) => {
      forget(home)
      if (recent.entries.length > MAX_ENTRIES) return
      known.set(home, { recent, end: clock.after(KEPT_MS, () => known.delete(home)) })
      const [oldest] = known.keys()
      if (known.size > MAX_HOMES && oldest !== undefined) forget(oldest)
    },
    forget,
  }
}

function isSameList(one: readonly ContextEntry[], other: readonly ContextEntry[]): boolean {
  return one === other || (one.length === other.length && one.every((entry, index) => isSameEntry(entry, other[index])))
}

function isSameEntry(one: ContextEntry, other: ContextEntry | undefined): boolean {
  if (one === other) return true
  return (
    one.path === other?.path &&
    one.type === other.type &&
    one.mode === other.mode &&
    one.sizeBytes === other.sizeBytes &&
    one.mtimeS === other.mtimeS &&
    one.linkname === other.linkname &&
    one.signature === other.signature
  )
}
