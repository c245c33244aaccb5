import { invariant, type Digest } from '#base'
import { MAX_CONFIG_BYTES } from '#oci/image'
import { canonicalText } from '#oci/reference'

import { moveName } from './names.ts'
import { publish, recordOf, type ImageParts } from './parts.ts'
import type { ImageTransfer } from './port.ts'
import { storeImage } from './store-image.ts'

export function openTransfer(parts: ImageParts): ImageTransfer {
  const { catalog, clock, content, layers } = parts
  const held: Digest[] = []
  return {
    hold: (diffId) => {
      const found = layers.hold(diffId) !== undefined
      if (found) held.push(diffId)
      return found
    },
    addLayer: async (source, options) => {
      const { diffId } = await layers.add(source, options)
      held.push(diffId)
      return diffId
    },
    store: async (configBytes) => recordOf(parts, (await storeImage(parts, { configBytes, names: [], parent: null })).id),
    name: (id, references) => {
      invariant(catalog.images.has(id), `image ${id} is stored`)
      let isNew = false
      catalog.atomically(() => {
        for (const reference of references) {
          // A digest says all: it is filed without a tag beside it.
          const filed = reference.digest === null ? reference : { ...reference, tag: null }
          isNew = catalog.names.get(canonicalText(filed)) !== id || isNew
          moveName(catalog, clock, filed, id)
        }
      })
      return isNew
    },
    configBytes: (id) => content.read(id, MAX_CONFIG_BYTES),
    layerPath: (diffId) => content.path(diffId),
    tell: (action, id, name) => publish(parts, action, name, name, recordOf(parts, id).config.labels),
    [Symbol.asyncDispose]: async () => {
      layers.release(held)
      await layers.collect(held)
    },
  }
}
