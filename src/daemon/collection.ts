import { uptime } from 'node:os'

import type { Clock, Log } from '#base'
import { keyOf, prefixOf, type RevisionRecord, type ServiceRecord } from '#cluster/model'
import { createCollection, type Collection, type ImageReferrer } from '#engine/collection'
import type { Host } from '#host'

import type { DaemonOptions } from './arguments.ts'
import type { Cluster } from './cluster.ts'
import { DISK_FULL } from './disk-full.ts'
import type { Engine } from './engine.ts'
import type { Settings } from './settings/settings.ts'

export interface CollectionWiring extends Pick<DaemonOptions, 'root'> {
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Log
  readonly host: Host
  readonly engine: Engine
  readonly cluster: Cluster
}

/** Garbage collection over this machine's containers, stacks and builds. */
export function openCollection({ settings, root, clock, log, host, engine, cluster }: CollectionWiring): Collection {
  const collection = createCollection({
    policy: () => settings.current().collection,
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
  return [...containers, ...stacks, ...wantedByServices(engine, cluster)]
}

/** What services would go back to, and on what those run that stand alone. */
function wantedByServices({ images }: Engine, { mirror }: Cluster): readonly ImageReferrer[] {
  return mirror.range<ServiceRecord>(prefixOf('service')).flatMap(({ value: { id, name, stack, revision, previousRevision } }) =>
    [revision, previousRevision ?? revision].flatMap((number) => {
      const image = mirror.get<RevisionRecord>(keyOf('revision', id, number))?.value.imageId ?? null
      const found = image === null ? undefined : images.find(image)
      return found === undefined ? [] : [{ image: found.id, by: stack === null ? `service ${name}` : `stack ${stack}` }]
    }),
  )
}
