import type { Clock, Digest, KeyedLocks } from '#base'
import type { ContentStore } from '#engine/content'
import { historyFits, parseImageConfig } from '#oci/image'
import { digestOf } from '#oci/digest'
import type { ImageReference } from '#oci/reference'

import type { Catalog } from './catalog.ts'
import { imageError } from './errors.ts'
import { mustHave, type Layers } from './layers.ts'
import { moveName } from './names.ts'

export interface NewImage {
  /** The exact bytes of the configuration. */
  readonly configBytes: Uint8Array
  readonly names: readonly ImageReference[]
  readonly parent: Digest | null
}

export interface NewImageResult {
  readonly id: Digest
  /** Images that lost a name to this one. */
  readonly renamed: readonly { readonly reference: ImageReference; readonly from: Digest }[]
}

/**
 * The last step of every way in: the layers are stored and held, now the configuration and then, in one transaction, the record
 * and its names. A crash before leaves blobs without an image, which recovery collects; never an image without its blobs.
 */
export async function storeImage(
  parts: {
    readonly catalog: Catalog
    readonly content: ContentStore
    readonly layers: Layers
    readonly locks: KeyedLocks
    readonly clock: Clock
  },
  image: NewImage,
): Promise<NewImageResult> {
  const { catalog, clock } = parts
  const id = digestOf(image.configBytes)
  const config = parseImageConfig(image.configBytes, `configuration ${id}`)
  if (!historyFits(config))
    throw imageError('image.layers_invalid', `configuration ${id}: its history does not tell of ${config.diffIds.length} layers`)
  // The same lock that removal takes, so that the blob is not deleted between these two lines.
  using _turn = await parts.locks.acquire(id)
  await parts.content.put(image.configBytes)
  try {
    return { id, renamed: record() }
  } catch (error) {
    // No record names it.
    if (!catalog.images.has(id)) await parts.content.delete(id)
    throw error
  }
  // Nothing waits in here: what is there at its beginning is there when the record is.
  function record() {
    const layers = mustHave(parts.layers, config.diffIds)
    const renamed: { reference: ImageReference; from: Digest }[] = []
    const before = catalog.images.get(id)
    catalog.atomically(() => {
      catalog.putImage(id, {
        config,
        layers,
        parent: before?.parent ?? image.parent,
        lastTaggedAt: before?.lastTaggedAt ?? '',
        isDetached: false,
      })
      for (const reference of image.names) {
        const from = moveName(catalog, clock, reference, id)
        if (from !== undefined) renamed.push({ reference, from })
      }
    })
    return renamed
  }
}
