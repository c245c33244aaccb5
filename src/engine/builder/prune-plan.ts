import type { Digest } from '#base'

export interface CacheUsage {
  readonly id: string
  /** As Docker's clients know them. */
  readonly kind: 'regular' | 'exec.cachemount' | 'source.local'
  readonly description: string
  readonly isInUse: boolean
  readonly isShared: boolean
  readonly sizeBytes: number
  /** null: the step changed nothing, or it is a directory. */
  readonly layer: { readonly diffId: Digest; readonly sizeBytes: number } | null
  readonly createdAt: string
  readonly lastUsedAt: string | null
  readonly usageCount: number
}

export interface PruneWish {
  /** False leaves what images share. */
  readonly all: boolean
  /** No others than these. */
  readonly only?: ReadonlySet<string>
  /** Only what nobody used for so long. */
  readonly unusedMs?: number
  /** The longest unused go until no more than this is kept. */
  readonly keepBytes?: number
  readonly matches?: (entry: CacheUsage) => boolean
}

/** What goes, the longest unused first. Never what is in use. Pure. */
export function planPrune(entries: readonly CacheUsage[], wish: PruneWish, nowMs: number): readonly CacheUsage[] {
  const isWanted = (entry: CacheUsage) =>
    !entry.isInUse &&
    (wish.all || !entry.isShared) &&
    (wish.only?.has(entry.id) ?? true) &&
    (wish.unusedMs === undefined || nowMs - lastUsedMs(entry) >= wish.unusedMs) &&
    (wish.matches?.(entry) ?? true)
  const candidates = entries.filter(isWanted).toSorted((a, b) => lastUsedMs(a) - lastUsedMs(b) || (a.id < b.id ? -1 : 1))
  if (wish.keepBytes === undefined) return candidates
  // What images hold stays on the disk whatever the cache forgets.
  let keptBytes = entries.reduce((sum, { isShared, sizeBytes }) => sum + (isShared ? 0 : sizeBytes), 0)
  const gone: CacheUsage[] = []
  for (const entry of candidates) {
    if (keptBytes <= wish.keepBytes) break
    if (entry.isShared) continue
    gone.push(entry)
    keptBytes -= entry.sizeBytes
  }
  return gone
}

function lastUsedMs({ lastUsedAt, createdAt }: CacheUsage): number {
  return Date.parse(lastUsedAt ?? createdAt) || 0
}
