import { stat } from 'node:fs/promises'

import { invariant, type Digest } from '#base'
import { MAX_CONFIG_BYTES } from '#oci/image'
import { digestOf } from '#oci/digest'
import { canonicalText, type ImageReference } from '#oci/reference'

import { moveName } from './names.ts'
import { publish, recordOf, type ImageParts } from './parts.ts'
import type { ImageTransfer } from './port.ts'
import { storeImage } from './store-image.ts'

export function openTransfer(parts: ImageParts): ImageTransfer {
  const { catalog, clock, content, layers } = parts
  const held: Digest[] = []
  const areNew = (id: Digest, names: readonly ImageReference[]) =>
    names.some((name) => catalog.names.get(canonicalText(name)) !== id)
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
    linkLayer: async (path, { diffId, sizeBytes }) => {
      if ((await stat(path)).size !== sizeBytes) return false
      await layers.link(path, diffId)
      held.push(diffId)
      return true
    },
    store: async (configBytes, references) => {
      const names = references.map(asFiled)
      const isNew = areNew(digestOf(configBytes), names)
      const { id } = await storeImage(parts, { configBytes, names, parent: null })
      return { id, isNew }
    },
    name: (id, references) => {
      invariant(catalog.images.has(id), `image ${id} is stored`)
      const names = references.map(asFiled)
      const isNew = areNew(id, names)
      catalog.atomically(() => {
        for (const name of names) moveName(catalog, clock, name, id)
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

/** A digest says all: it is filed without a tag beside it. */
function asFiled(reference: ImageReference): ImageReference {
  return reference.digest === null ? reference : { ...reference, tag: null }
}
