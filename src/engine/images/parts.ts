import { invariant, type Clock, type Digest, type KeyedLocks } from '#base'
import type { ContentStore } from '#engine/content'
import type { Events } from '#engine/events'

import type { Catalog } from './catalog.ts'
import type { Layers } from './layers.ts'
import type { ImageRecord } from './port.ts'
import { imageRecord } from './record.ts'

/** What the operations on images share. */
export interface ImageParts {
  readonly catalog: Catalog
  readonly content: ContentStore
  readonly layers: Layers
  /** By digest, of layers and configurations alike: whoever makes one appear or go holds it. */
  readonly locks: KeyedLocks
  readonly clock: Clock
  readonly events: Pick<Events, 'publish'>
}

/** The image is known to be there. */
export function recordOf(parts: ImageParts, id: Digest): ImageRecord {
  const image = parts.catalog.images.get(id)
  invariant(image !== undefined, `image ${id} is stored`)
  return imageRecord(parts.catalog, id, image)
}

/** `docker events` shows the image's labels and the name that was used. */
export function publish(
  parts: Pick<ImageParts, 'events'>,
  action: string,
  actorId: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): void {
  parts.events.publish({ type: 'image', action, actorId, attributes: { ...labels, name } })
}
