import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { limiter, type Clock, type Digest, type KeyedLocks, type Log, type Random, type RecordStore } from '#base'
import { buildCache, type BuilderPorts, type BuildImages } from '#engine/builder'
import { createRemoteSources, decompressor } from '#engine/builder/remote'
import type { ImageUse } from '#engine/collection'
import type { ContainersService } from '#engine/containers'
import type { Images } from '#engine/images'
import type { Registries } from '#engine/registry'
import type { Snapshots } from '#engine/snapshots'
import type { Host } from '#host'

import { buildRoot } from './build-root.ts'
import { buildRunner } from './build-runner.ts'
import { pullBase } from './pull-base.ts'
import { cacheDirectories } from './cache-directories.ts'
import { seedCache } from './seed-cache.ts'

/** Commands of builds at a time: as many as there are processors, and two at least, for most of them wait for a network. */
const MIN_RUNS = 2

export interface BuildNeeds {
  readonly root: string
  readonly images: Images
  readonly registries: Registries
  readonly snapshots: Snapshots
  readonly containers: ContainersService
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly host: Host
  /** Emptied at every start. */
  readonly temporary: string
  /** In memory. */
  readonly runDir: string
  readonly locks: KeyedLocks
  /** Told of the bases of builds. */
  readonly imageUse: Pick<ImageUse, 'touch'>
}

/** The builder's ports on this engine. */
export function buildPorts(needs: BuildNeeds): BuilderPorts {
  const { images, snapshots, clock, random, locks, temporary } = needs
  return {
    images: buildImages(images, needs.registries, needs.imageUse),
    layers: {
      addLayerTar: async (tar) => await images.addLayer(Readable.from(tar, { objectMode: false })),
      has: (diffId) => snapshots.hasLayer(diffId),
      isInImage: (diffId) => images.list().some((image) => image.layers.some((layer) => layer.diffId === diffId)),
      // The cache's records keep their layers; once one is gone, what nobody names goes too.
      release: async () => await images.sweep(),
    },
    root: buildRoot(needs),
    runner: buildRunner({
      ...needs,
      caches: cacheDirectories(join(needs.root, 'build-caches'), seedCache(needs)),
      secretDirectory: join(needs.runDir, 'secrets'),
    }),
    cache: buildCache(needs.store),
    remote: createRemoteSources({ clock, directory: temporary }),
    decompress: decompressor(),
    clock,
    random,
    locks,
    turns: limiter(Math.max(MIN_RUNS, availableParallelism())),
    spoolDirectory: temporary,
  }
}

function buildImages(images: Images, registries: Registries, imageUse: BuildNeeds['imageUse']): BuildImages {
  return {
    resolve: async (reference, { platform, isPullForced, signal }) => {
      if (isPullForced || images.find(reference) === undefined)
        await pullBase(registries, reference, { platform, isPullForced, signal })
      const found = images.find(reference)
      if (found === undefined) return undefined
      imageUse.touch(found.id)
      return { id: found.id, config: images.config(found.id) }
    },
    commit: async (config) => {
      const image = await images.commit({ ...config, layers: config.diffIds })
      return image.id
    },
    tag: async (id, reference) => await images.tag(id, reference),
  }
}

/** Layers that a cached step needs: kept when images go. */
export function cachedLayers(store: RecordStore): ReadonlySet<Digest> {
  const records = buildCache(store).list()
  return new Set(records.flatMap(({ record }) => (record.kind === 'layer' && record.diffId !== undefined ? [record.diffId] : [])))
}
