import { GloveboxError } from '#base'
import type { ContentStore } from '#engine/content'
import type { Events } from '#engine/events'

/** Action of the event of type `daemon` that tells of a write that failed for want of space. */
export const DISK_FULL = 'disk_full'

/** The same store, which tells of a full disk, so that room can be made. */
export function tellingDiskFull(content: ContentStore, events: Pick<Events, 'publish'>): ContentStore {
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      if (error instanceof GloveboxError && error.code === 'content.disk_full')
        events.publish({ type: 'daemon', action: DISK_FULL, actorId: '', attributes: { error: error.message } })
      throw error
    }
  }
  return {
    ...content,
    ingest: async (source, options) => await watched(content.ingest(source, options)),
    ingestLayer: async (source, options) => await watched(content.ingestLayer(source, options)),
    put: async (bytes) => await watched(content.put(bytes)),
  }
}
