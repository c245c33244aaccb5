import { type ContainerCalls, containerCalls } from './containers.ts'
import { type GloveboxCalls, gloveboxCalls } from './glovebox.ts'
import { type ImageCalls, imageCalls } from './images.ts'
import { type SystemCalls, systemCalls } from './system.ts'
import { unixTransport } from './transport.ts'

export interface Client {
  readonly socketPath: string
  readonly containers: ContainerCalls
  readonly images: ImageCalls
  readonly system: SystemCalls
  readonly glovebox: GloveboxCalls
}

/** Connects nothing yet: each call opens its own connection. */
export function createClient(socketPath: string): Client {
  const transport = unixTransport(socketPath)
  return {
    socketPath,
    containers: containerCalls(transport),
    images: imageCalls(transport),
    system: systemCalls(transport),
    glovebox: gloveboxCalls(transport),
  }
}
