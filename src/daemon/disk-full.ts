import { GloveboxError } from '#base'
import type { ContentStore } from '#engine/content'
import type { Events } from '#engine/events'
import type { Snapshots } from '#engine/snapshots'

/** Action of the event of type `daemon` that tells of a write that failed for want of space. */
export const DISK_FULL = 'disk_full'

type Publish = Pick<Events, 'publish'>

/** The same store, which tells of a full disk, so that room can be made. */
export function contentTellingDiskFull(content: ContentStore, events: Publish): ContentStore {
  return {
    ...content,
    ingest: async (source, options) => await telling(events, content.ingest(source, options)),
    ingestLayer: async (source, options) => await telling(events, content.ingestLayer(source, options)),
    put: async (bytes) => await telling(events, content.put(bytes)),
  }
}

export function snapshotsTellingDiskFull(snapshots: Snapshots, events: Publish): Snapshots {
  const addLayer: Snapshots['addLayer'] = async (...given) => await telling(events, snapshots.addLayer(...given))
  return Object.create(snapshots, { addLayer: { value: addLayer, enumerable: true } })
}

async function telling<T>(events: Publish, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof GloveboxError && error.code.endsWith('.disk_full'))
      events.publish({ type: 'daemon', action: DISK_FULL, actorId: '', attributes: { error: error.message } })
    throw error
  }
}
