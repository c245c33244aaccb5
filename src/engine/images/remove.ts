import type { Digest, KeyedLocks } from '#base'
import type { ContentStore, StoredBlob } from '#engine/content'
import { digestOf } from '#oci/digest'

import type { Catalog, StoredImage } from './catalog.ts'
import type { Layers } from './layers.ts'
import { shownName, type RemoveStep } from './remove-plan.ts'

export type Removed = { readonly untagged: string } | { readonly deleted: string }

export interface RemoveResult {
  readonly removed: readonly Removed[]
  readonly reclaimedBytes: number
}

/** Told of each step when it is durable. */
export type OnRemoved = (action: 'untag' | 'delete', id: Digest, image: StoredImage, name: string) => void

/**
 * Records first, blobs after: a crash in between leaves blobs without a name, which `recover` collects.
 */
export async function applyRemoval(
  parts: { readonly catalog: Catalog; readonly content: ContentStore; readonly layers: Layers; readonly locks: KeyedLocks },
  steps: readonly RemoveStep[],
  onRemoved: OnRemoved,
): Promise<RemoveResult> {
  const { catalog } = parts
  const touched = new Map(catalog.images)
  catalog.atomically(() => {
    for (const step of steps) applyStep(catalog, step)
  })
  const removed: Removed[] = []
  let reclaimedBytes = 0
  for (const step of steps) {
    const image = touched.get(step.id)
    if (image === undefined) continue
    if (step.type === 'untag') {
      removed.push({ untagged: shownName(step.name) })
      onRemoved('untag', step.id, image, shownName(step.name))
      continue
    }
    removed.push({ deleted: step.id })
    if (step.type === 'delete') {
      const freed = await deleteBlobs(parts, step.id, image)
      reclaimedBytes += freed.reduce((sum, blob) => sum + blob.sizeBytes, 0)
      removed.push(...chainsOf(image, freed).map((deleted) => ({ deleted })))
    }
    if (!image.isDetached) onRemoved('delete', step.id, image, step.id)
  }
  return { removed, reclaimedBytes }
}

function applyStep(catalog: Catalog, step: RemoveStep): void {
  if (step.type === 'untag') catalog.deleteName(step.name)
  else if (step.type === 'delete') catalog.deleteImage(step.id)
  else {
    const image = catalog.images.get(step.id)
    if (image !== undefined) catalog.putImage(step.id, { ...image, isDetached: true })
  }
}

async function deleteBlobs(
  parts: { readonly catalog: Catalog; readonly content: ContentStore; readonly layers: Layers; readonly locks: KeyedLocks },
  id: Digest,
  image: StoredImage,
): Promise<readonly StoredBlob[]> {
  {
    using _turn = await parts.locks.acquire(id)
    // Somebody may have brought the same image back meanwhile.
    if (!parts.catalog.images.has(id)) await parts.content.delete(id)
  }
  return await parts.layers.collect(image.layers.map(({ diffId }) => diffId).toReversed())
}

/** Docker tells of layers by the digest of all digests up to them (image-spec, config.md, "Layer ChainID"). */
function chainsOf(image: StoredImage, freed: readonly StoredBlob[]): readonly string[] {
  const gone = new Set(freed.map(({ digest }) => digest))
  const chains: string[] = []
  let chain = ''
  for (const { diffId } of image.layers) {
    chain = chain === '' ? diffId : digestOf(`${chain} ${diffId}`)
    if (gone.has(diffId)) chains.unshift(chain)
  }
  return chains
}
