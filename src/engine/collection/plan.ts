import type { Digest } from '#base'

import { keptImages } from './kept.ts'
import { shareBytes } from './policy.ts'
import type {
  CollectableCache,
  CollectableImage,
  CollectionPlan,
  CollectionPolicy,
  CollectionView,
  Removal,
  RemovalReason,
} from './port.ts'

/** What was in use until a moment ago will probably be wanted again: even a full disk does not take it. */
export const RECENT_MS = 60 * 60_000

interface Item {
  readonly kind: Removal['kind']
  readonly id: string
  readonly names: readonly string[]
  readonly layers: readonly { readonly diffId: Digest; readonly sizeBytes: number }[]
  readonly idleMs: number
  /** By the youngest of what stands on it, which has to go first. */
  readonly orderMs: number
  /** The longest line of images that stand on it. */
  readonly height: number
  readonly children: readonly string[]
  readonly parent: string | null
}

/**
 * What is to be removed, with the reason for each. What is in use is never among it; what is removed for its age goes in any case, the longest
 * unused of the rest only until enough of the disk is free. Whoever carries it out and plans again gets nothing more to do.
 */
export function planCollection(view: CollectionView, policy: CollectionPolicy): CollectionPlan {
  const kept = keptImages(view, policy)
  const items = itemsOf(view, new Set(kept.keys()))
  const draft = draftOf(view, items)
  const removeAged = () => {
    for (const item of items) {
      const reason = ageReason(item, policy)
      if (reason !== undefined && draft.canGo(item)) draft.remove(item, reason)
    }
  }
  removeAged()
  makeRoom(view, policy, items, draft)
  // What had to wait for an image that stood on it and went for the sake of the disk.
  removeAged()
  const removals = draft.removals()
  return {
    removals,
    kept: view.images.flatMap(({ id, names }) => (draft.has(id) ? [] : [{ id, names, why: kept.get(id) ?? 'not due yet' }])),
    freedBytes: removals.reduce((sum, removal) => sum + removal.freedBytes, 0),
  }
}

function ageReason({ kind, names, idleMs }: Item, policy: CollectionPolicy): RemovalReason | undefined {
  const reason = kind === 'cache' ? 'cache' : names.length === 0 ? 'untagged' : 'unused'
  const limitMs = { cache: policy.cacheMs, untagged: policy.untaggedMs, unused: policy.unusedMs }[reason]
  return limitMs === null || idleMs < limitMs ? undefined : { kind: reason, idleMs, limitMs }
}

/** Takes the longest unused until the target is free, and then gives back what turned out not to be needed for it. */
function makeRoom(view: CollectionView, policy: CollectionPolicy, items: readonly Item[], draft: Draft): void {
  const minFreeBytes = shareBytes(policy.minFree, view.disk)
  const targetBytes = Math.max(minFreeBytes, shareBytes(policy.targetFree, view.disk))
  const { availableBytes } = view.disk
  if (availableBytes + draft.freedBytes() >= minFreeBytes && !view.isDiskFull) return
  const taken: Item[] = []
  for (const item of items) {
    if (availableBytes + draft.freedBytes() >= targetBytes) break
    if (item.idleMs < RECENT_MS || !draft.canGo(item)) continue
    draft.remove(item, { kind: 'disk', idleMs: item.idleMs, availableBytes, minFreeBytes })
    taken.push(item)
  }
  // Of several that share a layer only the last frees it: some were taken in vain.
  const enough = Math.min(draft.freedBytes(), targetBytes - availableBytes)
  for (const item of taken.toReversed()) if (draft.canStay(item) && draft.freedWithout(item) >= enough) draft.giveBack(item)
}

/** The longest unused first, and nothing before what stands on it. */
function itemsOf(view: CollectionView, kept: ReadonlySet<Digest>): readonly Item[] {
  const children = childrenOf(view.images)
  const idle = (lastUsedMs: number) => Math.max(0, view.nowMs - lastUsedMs)
  const images = view.images
    .filter(({ id }) => !kept.has(id))
    .map((image): Item => {
      const above = descendantsOf(image, children)
      return {
        ...{ kind: 'image', id: image.id, names: image.names, layers: image.layers, parent: image.parent },
        idleMs: idle(image.lastUsedMs),
        orderMs: Math.max(image.lastUsedMs, ...above.images.map(({ lastUsedMs }) => lastUsedMs)),
        height: above.height,
        children: (children.get(image.id) ?? []).map(({ id }) => id),
      }
    })
  const caches = view.caches.filter(({ isInUse }) => !isInUse).map((cache) => cacheItem(cache, idle(cache.lastUsedMs)))
  return [...images, ...caches].toSorted((a, b) => a.orderMs - b.orderMs || a.height - b.height || (a.id < b.id ? -1 : 1))
}

function cacheItem(cache: CollectableCache, idleMs: number): Item {
  const layers = cache.layer === null ? [] : [cache.layer]
  return {
    ...{ kind: 'cache', id: cache.key, names: [cache.description], layers },
    ...{ idleMs, orderMs: cache.lastUsedMs, height: 0, children: [], parent: null },
  }
}

function childrenOf(images: readonly CollectableImage[]): ReadonlyMap<Digest, readonly CollectableImage[]> {
  const children = new Map<Digest, CollectableImage[]>()
  for (const image of images) {
    if (image.parent === null) continue
    const known = children.get(image.parent)
    if (known === undefined) children.set(image.parent, [image])
    else known.push(image)
  }
  return children
}

/** All that stand on an image. A parent is named by digest of what was there before, so there are no circles. */
function descendantsOf(image: CollectableImage, children: ReadonlyMap<Digest, readonly CollectableImage[]>) {
  const seen = new Set<CollectableImage>()
  let height = 0
  let level = children.get(image.id) ?? []
  while (level.length > 0) {
    height += 1
    for (const one of level) seen.add(one)
    level = level.flatMap(({ id }) => children.get(id) ?? []).filter((one) => !seen.has(one))
  }
  return { images: [...seen], height }
}

/** What is gone after the steps so far, and what that frees: a layer goes with the last that names it. */
interface Draft {
  has(id: string): boolean
  canGo(item: Item): boolean
  canStay(item: Item): boolean
  remove(item: Item, reason: RemovalReason): void
  giveBack(item: Item): void
  freedBytes(): number
  freedWithout(item: Item): number
  removals(): readonly Removal[]
}

function draftOf(view: CollectionView, items: readonly Item[]): Draft {
  const gone = new Map<string, { readonly item: Item; readonly reason: RemovalReason }>()
  const users = new Map<Digest, number>()
  for (const { layers } of [...view.images, ...view.caches.map(({ layer }) => ({ layers: layer === null ? [] : [layer] }))])
    for (const diffId of distinct(layers).keys()) users.set(diffId, (users.get(diffId) ?? 0) + 1)
  let freed = 0
  const drop = (item: Item): number => {
    let bytes = 0
    for (const [diffId, sizeBytes] of distinct(item.layers)) {
      const left = (users.get(diffId) ?? 0) - 1
      users.set(diffId, left)
      if (left === 0) bytes += sizeBytes
    }
    return bytes
  }
  const restore = (item: Item): number => {
    let bytes = 0
    for (const [diffId, sizeBytes] of distinct(item.layers)) {
      const before = users.get(diffId) ?? 0
      users.set(diffId, before + 1)
      if (before === 0) bytes += sizeBytes
    }
    return bytes
  }
  return {
    has: (id) => gone.has(id),
    canGo: (item) => !gone.has(item.id) && item.children.every((child) => gone.has(child)),
    canStay: (item) => item.parent === null || !gone.has(item.parent),
    remove: (item, reason) => {
      gone.set(item.id, { item, reason })
      freed += drop(item)
    },
    giveBack: (item) => {
      gone.delete(item.id)
      freed -= restore(item)
    },
    freedBytes: () => freed,
    freedWithout: (item) => {
      const back = restore(item)
      drop(item)
      return freed - back
    },
    removals: () => {
      // Counted anew in the final order: what was given back may have been the last to name a layer.
      for (const { item } of gone.values()) restore(item)
      return items.flatMap((item) => {
        const found = gone.get(item.id)
        if (found === undefined) return []
        const { kind, id, names } = item
        return [{ kind, id, names, freedBytes: drop(item), reason: found.reason }]
      })
    },
  }
}

function distinct(layers: Item['layers']): ReadonlyMap<Digest, number> {
  return new Map(layers.map(({ diffId, sizeBytes }) => [diffId, sizeBytes]))
}
