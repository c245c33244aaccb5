import type { Log } from '#base'
import type { StoredBlob } from '#engine/content'

import { imageError } from './errors.ts'
import type { ImageParts } from './parts.ts'
import type { LayerSnapshots } from './snapshots-port.ts'

/**
 * Finishes what a crash interrupted: blobs that no record names go (a removal got as far as the records, or something new did not get to
 * them). Layers of records are made mountable where they are not. An image whose blobs are gone is said so and left to the user.
 */
export async function recoverImages(parts: ImageParts, snapshots: LayerSnapshots, log: Log): Promise<void> {
  await parts.content.recover()
  await collectOrphans(parts)
  for (const [id, image] of parts.catalog.images) {
    const missing = [id, ...image.layers.map(({ diffId }) => diffId)].filter((digest) => parts.content.stat(digest) === undefined)
    if (missing.length > 0) {
      const error = imageError('image.corrupt', `image ${id} lacks ${missing.join(', ')}`)
      log.error('an image is damaged; remove it and load it again', { image: id, error })
      continue
    }
    for (const { diffId } of image.layers) await snapshots.addLayer(diffId, parts.content.path(diffId))
  }
}

/** Deletes every blob that nothing names; whether something does is asked for each under its lock. */
export async function collectOrphans(parts: ImageParts): Promise<readonly StoredBlob[]> {
  const blobs = await parts.content.list()
  return await parts.layers.collect(blobs.map(({ digest }) => digest))
}
