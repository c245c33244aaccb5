import type { Digest } from '#base'
import type { ImageRecord } from '#engine/images'

import type { CollectionNeeds, ImageReferrer } from './needs.ts'
import type { CollectableCache, CollectableImage, CollectionView } from './port.ts'

/** The machine as the plan sees it. What containers and stacks refer to counts as used now. */
export function takeView(needs: CollectionNeeds, isDiskFull: boolean): CollectionView {
  const nowMs = needs.clock.nowMs()
  const users = usersByImage(needs.referrers())
  for (const id of users.keys()) needs.use.touch(id)
  const images = needs.images.list()
  needs.use.retain(new Set([...images.map(({ id }) => id), ...users.keys()]))
  const buildMs = needs.oldestBuildMs()
  return {
    nowMs,
    disk: needs.space(),
    isDiskFull,
    images: images.map((image) => imageOf(image, needs, users.get(image.id) ?? [], buildMs)),
    caches: cachesOf(needs),
  }
}

export function usersByImage(referrers: readonly ImageReferrer[]): ReadonlyMap<Digest, readonly string[]> {
  const users = new Map<Digest, string[]>()
  for (const { image, by } of referrers) {
    const known = users.get(image)
    if (known === undefined) users.set(image, [by])
    else known.push(by)
  }
  return users
}

function imageOf(
  image: ImageRecord,
  { use, clock }: CollectionNeeds,
  users: readonly string[],
  buildMs: number | null,
): CollectableImage {
  const taggedMs = Date.parse(image.lastTaggedAt)
  const noted = use.lastUsedMs(image.id)
  const lastUsedMs = Number.isNaN(taggedMs) || taggedMs > clock.nowMs() ? noted : Math.max(noted, taggedMs)
  return {
    id: image.id,
    names: image.tags,
    repositories: image.tags.map((tag) => tag.slice(0, tag.lastIndexOf(':'))),
    isReplaceable: image.repoDigests.length > 0,
    parent: image.parent,
    layers: image.layers,
    createdMs: Date.parse(image.created) || 0,
    lastUsedMs,
    users: [...users, ...(buildMs !== null && lastUsedMs >= buildMs ? ['a running build'] : [])],
  }
}

/** The builder knows a record's size and not its layer: one that is shared with an image frees nothing before the image goes. */
function cachesOf({ builder }: CollectionNeeds): readonly CollectableCache[] {
  return builder.usage().map((record) => ({
    key: record.id,
    description: record.description,
    layer: record.kind === 'regular' ? record.layer : ownDirectory(record.id, record.sizeBytes),
    lastUsedMs: Date.parse(record.lastUsedAt ?? record.createdAt) || 0,
    isInUse: record.isInUse,
  }))
}

/** A directory is nobody else's: it counts like a layer that one record names. */
function ownDirectory(id: string, sizeBytes: number): NonNullable<CollectableCache['layer']> {
  return { diffId: id as Digest, sizeBytes }
}
