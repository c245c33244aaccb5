/** A change as it is stored. */
export interface StoredChange {
  readonly revision: number
  readonly key: string
  /** null: the key went. */
  readonly value: string | null
  /** What the text says, once somebody has read it. */
  parsed?: unknown
}

/** Parsed once for all watchers; so that none misleads the others, it cannot be changed. */
export function valueOfChange(change: StoredChange): unknown {
  if (change.value === null) return null
  return (change.parsed ??= frozen(JSON.parse(change.value)))
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}

/** The youngest changes in memory, for watchers that keep up: they cost no query. */
export interface RecentChanges {
  /** Counts once `commit` is called. */
  add(change: StoredChange): void
  commit(): void
  /** Forgets what was added since the last commit. */
  undo(): void
  /** Everything after a revision, in order; undefined: some of it is not here any more. */
  after(revision: number): Iterable<StoredChange> | undefined
}

/** More than a group of small writes makes, so that a watcher that is woken by one finds all of it. */
const MAX_CHANGES = 4096
const MAX_BYTES = 8 << 20

export function recentChanges(): RecentChanges {
  let kept: StoredChange[] = []
  let added: StoredChange[] = []
  let bytes = 0
  const trim = () => {
    let from = 0
    while (kept.length - from > MAX_CHANGES || bytes > MAX_BYTES) {
      const { revision } = kept[from] as StoredChange
      // A transaction is here whole or not at all.
      for (; kept[from]?.revision === revision; from += 1) bytes -= sizeOf(kept[from] as StoredChange)
    }
    // In lots: taking one at a time from the front of a list moves the rest each time.
    if (from > 0) kept = kept.slice(from)
  }
  return {
    add: (change) => void added.push(change),
    commit: () => {
      for (const change of added) {
        kept.push(change)
        bytes += sizeOf(change)
      }
      added = []
      if (kept.length > MAX_CHANGES + MAX_CHANGES / 4 || bytes > MAX_BYTES) trim()
    },
    undo: () => void (added = []),
    after: (revision) => {
      const first = kept[0]
      if (first === undefined || first.revision > revision + 1) return undefined
      return from(kept, firstAfter(kept, revision))
    },
  }
}

function* from(changes: readonly StoredChange[], start: number): Generator<StoredChange> {
  for (let at = start; at < changes.length; at += 1) yield changes[at] as StoredChange
}

/** Index of the first change after a revision: they are in order. */
function firstAfter(changes: readonly StoredChange[], revision: number): number {
  let [low, high] = [0, changes.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((changes[middle]?.revision ?? 0) > revision) high = middle
    else low = middle + 1
  }
  return low
}

function sizeOf({ key, value }: StoredChange): number {
  return key.length + (value?.length ?? 0)
}
