import { type ContainerCalls, containerCalls } from './containers.ts'
import { type GloveboxCalls, gloveboxCalls } from './glovebox.ts'
import { type ImageCalls, imageCalls } from './images.ts'
import { type SystemCalls, systemCalls } from './system.ts'
import { nameOf, type DaemonPlace } from './place.ts'
import { transportTo } from './transport.ts'

export interface Client {
  readonly socketPath: string
  readonly containers: ContainerCalls
  readonly images: ImageCalls
  readonly system: SystemCalls
  readonly glovebox: GloveboxCalls
}

/** Connects nothing yet: each call opens its own connection. */
export function createClient(place: DaemonPlace): Client {
  const transport = transportTo(place)
  return {
    socketPath: nameOf(place),
    containers: containerCalls(transport),
    images: imageCalls(transport),
    system: systemCalls(transport),
    glovebox: gloveboxCalls(transport),
  }
}
