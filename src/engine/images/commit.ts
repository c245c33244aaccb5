import { writeImageConfig } from '#oci/image'

import { imageError } from './errors.ts'
import { mustHave } from './layers.ts'
import { readTagTarget, shownReference } from './names.ts'
import { publish, recordOf, type ImageParts } from './parts.ts'
import type { ImageRecord, Images } from './port.ts'
import { storeImage } from './store-image.ts'

/** Errors: `image.layer_missing`, `image.layers_invalid`, `image.not_found` for the parent, `image_config.invalid`. */
export async function commitImage(parts: ImageParts, options: Parameters<Images['commit']>[0]): Promise<ImageRecord> {
  const parent = options.parent ?? null
  if (parent !== null && !parts.catalog.images.has(parent)) throw imageError('image.not_found', `No such image: ${parent}`)
  mustHave(parts.layers, options.layers)
  const names = options.ref === undefined ? [] : [readTagTarget(options.ref)]
  const configBytes = writeImageConfig({
    architecture: options.architecture,
    os: options.os,
    variant: options.variant ?? '',
    created: options.created,
    author: options.author,
    comment: options.comment,
    config: options.config,
    diffIds: options.layers,
    history: options.history,
  })
  const { id } = await storeImage(parts, { configBytes, names, parent })
  // What `addLayer` held for the caller is now the image's.
  parts.layers.release(options.layers)
  for (const name of names) publish(parts, 'tag', id, shownReference(name), options.config.labels)
  return recordOf(parts, id)
}
