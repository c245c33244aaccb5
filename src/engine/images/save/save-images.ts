import { Readable } from 'node:stream'

import type { Digest } from '#base'
import { MAX_CONFIG_BYTES } from '#oci/image'

import { imageError } from '../errors.ts'
import { MAX_ARCHIVE_IMAGES } from '../limits.ts'
import { allNamesOf } from '../names.ts'
import { publish, type ImageParts } from '../parts.ts'
import { mustResolve } from '../resolve.ts'
import { writeArchive } from './save-archive.ts'
import { planSave, type SavedImage } from './save-plan.ts'

/** The layers are held until the stream is closed, so that a removal meanwhile does not cut it short. */
export async function saveImages(parts: ImageParts, refs: readonly string[]): Promise<Readable> {
  const images = await readImages(parts, chooseImages(parts, refs))
  const diffIds = images.flatMap((image) => image.layers.map(({ diffId }) => diffId))
  const missing = diffIds.find((diffId) => parts.layers.stat(diffId) === undefined)
  if (missing !== undefined) throw imageError('image.corrupt', `save: the layer ${missing} is gone`)
  for (const diffId of diffIds) parts.layers.hold(diffId)
  const stream = Readable.from(writeArchive(parts.content, planSave(images)), { objectMode: false })
  stream.once('close', () => {
    parts.layers.release(diffIds)
    void parts.layers.collect(diffIds).catch(() => undefined)
  })
  for (const image of images) publish(parts, 'save', image.id, image.id, image.config.config.labels)
  return stream
}

type Chosen = ReadonlyMap<Digest, ReadonlySet<string>>

/** By id: without a name. By a name without tag: all tags of it. */
function chooseImages(parts: ImageParts, refs: readonly string[]): Chosen {
  const chosen = new Map<Digest, Set<string>>()
  for (const ref of refs) {
    const all = allNamesOf(parts.catalog, ref)
    const found =
      all.length > 0
        ? all
        : [mustResolve(parts.catalog, ref)].map((one) => ({ id: one.id, name: one.by === 'name' ? one.name : '' }))
    for (const { id, name } of found) {
      const names = chosen.get(id) ?? new Set()
      if (name !== '' && !name.includes('@')) names.add(name)
      chosen.set(id, names)
    }
  }
  if (chosen.size > MAX_ARCHIVE_IMAGES)
    throw imageError(
      'image.archive_too_large',
      `save: ${chosen.size} images are more than the ${MAX_ARCHIVE_IMAGES} of one archive`,
    )
  return chosen
}

async function readImages(parts: ImageParts, chosen: Chosen): Promise<readonly SavedImage[]> {
  const images: SavedImage[] = []
  for (const [id, names] of chosen) {
    const configBytes = await parts.content.read(id, MAX_CONFIG_BYTES)
    const image = parts.catalog.images.get(id)
    if (image === undefined) throw imageError('image.not_found', `No such image: ${id}`)
    images.push({ id, config: image.config, configBytes, layers: image.layers, names: [...names].toSorted() })
  }
  return images
}
