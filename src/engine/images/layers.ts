import { during, isKind, type Clock, type Digest, type KeyedLocks } from '#base'
import type { ByteSource, ContentStore, LayerIngestOptions, StoredBlob, StoredLayer } from '#engine/content'
import type { LayerTree } from '#oci/erofs'

import { imageError } from './errors.ts'
import { layerTreeReader } from './layer-tree.ts'
import { FRESH_LAYER_MS } from './limits.ts'
import type { LayerSnapshots } from './snapshots-port.ts'

/**
 * The layers that are stored, each once. Whoever adds or holds one keeps it from being collected until it gives it back; images and holders
 * of record keep theirs through `isUsed`.
 */
export interface Layers {
  /** Stores a layer's tar, makes it mountable and holds it once. */
  add(source: ByteSource, options: LayerIngestOptions): Promise<StoredLayer>
  /** As `add`, for a plain tar that is a file already, with this digest: it is shared and not copied. */
  link(path: string, diffId: Digest): Promise<void>
  /** Holds a layer that is there; undefined when it is not. */
  hold(diffId: Digest): StoredBlob | undefined
  /** Gives back one hold of each. Nothing is deleted yet. */
  release(diffIds: readonly Digest[]): void
  stat(diffId: Digest): StoredBlob | undefined
  /** Deletes those that nobody uses or holds; gives what went, in the order given. */
  collect(diffIds: readonly Digest[]): Promise<readonly StoredBlob[]>
  /** Layers that could go now: added long ago without an image to name them, or kept back by a container when they were collected. */
  leftover(): readonly Digest[]
}

export function createLayers(options: {
  readonly content: ContentStore
  readonly snapshots: LayerSnapshots
  readonly locks: KeyedLocks
  readonly clock: Clock
  readonly isUsed: (diffId: Digest) => boolean
}): Layers {
  const { content, snapshots, locks, clock, isUsed } = options
  const held = new Map<Digest, { count: number; sinceMs: number }>()
  /** Being deleted: as good as gone for whoever asks. */
  const dying = new Set<Digest>()
  /** Not deleted because a container stood on them. Bounded by the layers there are. */
  const refused = new Set<Digest>()
  const holdOnce = (diffId: Digest) => {
    held.set(diffId, { count: (held.get(diffId)?.count ?? 0) + 1, sinceMs: clock.monotonicMs() })
  }
  const stat = (diffId: Digest) => (dying.has(diffId) ? undefined : content.stat(diffId))
  const release = (diffIds: readonly Digest[]) => {
    for (const diffId of diffIds) {
      const entry = held.get(diffId)
      if (entry === undefined) continue
      entry.count -= 1
      if (entry.count <= 0) held.delete(diffId)
    }
  }
  const collectOne = async (diffId: Digest): Promise<StoredBlob | undefined> => {
    using _turn = await locks.acquire(diffId)
    const found = content.stat(diffId)
    if (found === undefined || isUsed(diffId) || held.has(diffId)) return undefined
    dying.add(diffId)
    try {
      // The blob goes last: as long as it is there, recovery finds the layer and finishes the job.
      await snapshots.removeLayer(diffId)
      await content.delete(diffId)
      refused.delete(diffId)
      return found
    } catch (error) {
      // A container still stands on it: another time.
      if (!isKind(error, 'conflict')) throw error
      refused.add(diffId)
      return undefined
    } finally {
      dying.delete(diffId)
    }
  }
  return {
    add: async (source, ingestOptions) => {
      const turns: Disposable[] = []
      const reader = layerTreeReader()
      try {
        const stored = await content.ingestLayer(source, {
          ...ingestOptions,
          onPlain: reader.push,
          // From here to the hold nobody may collect the same layer.
          beforeVisible: async (digest) => {
            turns.push(await locks.acquire(digest))
            await ingestOptions.beforeVisible?.(digest)
          },
        })
        const isKept = isUsed(stored.diffId) || held.has(stored.diffId)
        await makeMountable(content, snapshots, stored.diffId, { isKept, tree: reader.finish() })
        holdOnce(stored.diffId)
        return stored
      } finally {
        for (const turn of turns) turn[Symbol.dispose]()
      }
    },
    link: async (path, diffId) => {
      using _turn = await locks.acquire(diffId)
      const isKept = isUsed(diffId) || held.has(diffId)
      await content.adopt(path, diffId, 'link')
      await makeMountable(content, snapshots, diffId, { isKept, tree: undefined })
      holdOnce(diffId)
    },
    hold: (diffId) => {
      // One that neither is used nor held may be half made, or about to go.
      const found = isUsed(diffId) || held.has(diffId) ? stat(diffId) : undefined
      if (found !== undefined) holdOnce(diffId)
      return found
    },
    release,
    stat,
    collect: async (diffIds) => {
      const freed: StoredBlob[] = []
      for (const diffId of new Set(diffIds)) {
        const one = await collectOne(diffId)
        if (one !== undefined) freed.push(one)
      }
      return freed
    },
    leftover: () => {
      const before = clock.monotonicMs() - FRESH_LAYER_MS
      const old = [...held].filter(([, entry]) => entry.sinceMs < before).map(([diffId]) => diffId)
      for (const diffId of old) held.delete(diffId)
      return [...old, ...refused].filter((diffId) => !isUsed(diffId))
    },
  }
}

/** A tar that cannot be mounted (hostile, or no tar at all) is not kept. */
async function makeMountable(
  content: ContentStore,
  snapshots: LayerSnapshots,
  diffId: Digest,
  { isKept, tree }: { readonly isKept: boolean; readonly tree: LayerTree | undefined },
): Promise<void> {
  try {
    await snapshots.addLayer(diffId, content.path(diffId), tree === undefined ? {} : { tree })
  } catch (error) {
    if (!isKept) await content.delete(diffId)
    throw during(`layer ${diffId}`, error)
  }
}

/** Error: `image.layer_missing`. */
export function mustHave(
  layers: Layers,
  diffIds: readonly Digest[],
): readonly { readonly diffId: Digest; readonly sizeBytes: number }[] {
  return diffIds.map((diffId) => {
    const found = layers.stat(diffId)
    if (found === undefined) throw imageError('image.layer_missing', `the layer ${diffId} is not stored`)
    return { diffId, sizeBytes: found.sizeBytes }
  })
}
