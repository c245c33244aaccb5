import type { Events } from '#engine/events'
import type { Images } from '#engine/images'

/** The same images, of which each that a build makes is told as `create`, whether it has a name or not (Engine API 1.46). */
export function tellingBuilt(images: Images, events: Pick<Events, 'publish'>): Images {
  return {
    ...images,
    commit: async (options) => {
      const image = await images.commit(options)
      const attributes = { ...image.config.labels, name: image.id }
      events.publish({ type: 'image', action: 'create', actorId: image.id, attributes })
      return image
    },
  }
}
