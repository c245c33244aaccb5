import type { Digest } from '#base'

import type { Catalog, StoredImage } from './catalog.ts'
import type { ImageRecord } from './port.ts'
import { shownName } from './remove-plan.ts'

export function imageRecord(catalog: Catalog, id: Digest, image: StoredImage): ImageRecord {
  const names = catalog.namesOf(id)
  const { config } = image
  return {
    id,
    tags: names.filter((name) => !name.includes('@')).map(shownName),
    repoDigests: names.filter((name) => name.includes('@')).map(shownName),
    architecture: config.architecture,
    os: config.os,
    variant: config.variant,
    author: config.author,
    comment: config.comment,
    created: config.created,
    config: config.config,
    layers: image.layers,
    history: config.history,
    sizeBytes: image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    lastTaggedAt: image.lastTaggedAt,
    parent: image.parent,
  }
}

/** Newest first; of the same age by id, so that lists are stable. */
export function newestFirst(a: ImageRecord, b: ImageRecord): number {
  return Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? -1 : 1)
}
