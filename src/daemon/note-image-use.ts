import type { Digest } from '#base'
import type { ImageUse } from '#engine/collection'
import type { ContainersService } from '#engine/containers'
import type { EngineEvent, Events } from '#engine/events'
import type { Images } from '#engine/images'

/** What happens to containers and images tells when an image is used. Bases of builds are told of by the builder. */
export function noteImageUse(
  use: ImageUse,
  { events, containers, images }: { readonly events: Events; readonly containers: ContainersService; readonly images: Images },
): Disposable {
  return events.listen((event) => {
    const id = usedImage(event, containers, images)
    if (id !== undefined) use.touch(id)
  })
}

const USING_CONTAINER: ReadonlySet<string> = new Set(['create', 'start', 'die'])
const USING_IMAGE: ReadonlySet<string> = new Set(['pull', 'push', 'load', 'import', 'save', 'tag'])

function usedImage({ type, action, actorId }: EngineEvent, containers: ContainersService, images: Images): Digest | undefined {
  if (type === 'container' && USING_CONTAINER.has(action)) return imageOf(actorId, containers)
  return type === 'image' && USING_IMAGE.has(action) ? images.find(actorId)?.id : undefined
}

function imageOf(containerId: string, containers: ContainersService): Digest | undefined {
  try {
    return containers.get(containerId).spec.imageId
  } catch {
    // Gone already: what it used is told of by its other events.
    return undefined
  }
}
