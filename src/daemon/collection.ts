import { uptime } from 'node:os'

import type { Clock, Digest, Log } from '#base'
import { createCollection, type Collection, type ImageReferrer, type ImageUse } from '#engine/collection'
import type { ContainersService } from '#engine/containers'
import type { EngineEvent, Events } from '#engine/events'
import type { Images } from '#engine/images'
import type { Host } from '#host'

import type { DaemonOptions } from './arguments.ts'
import type { Cluster } from './cluster.ts'
import { DISK_FULL } from './disk-full.ts'
import type { Engine } from './engine.ts'

export interface CollectionWiring extends DaemonOptions {
  readonly clock: Clock
  readonly log: Log
  readonly host: Host
  readonly engine: Engine
  readonly cluster: Cluster
}

/** Garbage collection over this machine's containers, stacks and builds. */
export function openCollection({ collection: policy, root, clock, log, host, engine, cluster }: CollectionWiring): Collection {
  const collection = createCollection({
    policy,
    clock,
    log,
    records: engine.store,
    events: engine.events,
    images: engine.images,
    builder: engine.builder,
    use: engine.imageUse,
    referrers: () => referrersOf(engine, cluster),
    oldestBuildMs: () => engine.builder.oldestStartMs(),
    space: () => host.files.space(root),
    uptimeMs: () => uptime() * 1000,
  })
  const listening = engine.events.listen((event) => {
    if (event.type === 'daemon' && event.action === DISK_FULL) collection.noteDiskFull()
  })
  return {
    ...collection,
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]()
      await collection[Symbol.asyncDispose]()
    },
  }
}

function referrersOf(engine: Engine, cluster: Cluster): readonly ImageReferrer[] {
  const containers = engine.containers.list().map(({ name, spec }) => ({ image: spec.imageId, by: `container ${name}` }))
  const stacks = cluster.stacks.wantedImages().flatMap(({ stack, image }) => {
    const found = engine.images.find(image)
    return found === undefined ? [] : [{ image: found.id, by: `stack ${stack}` }]
  })
  return [...containers, ...stacks]
}

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
