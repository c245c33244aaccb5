import { Readable } from 'node:stream'

import type { Clock, Digest, KeyedLocks, Log, Random, RecordStore } from '#base'
import type { BuildCache, BuildImages, BuildPorts, CacheRecord } from '#engine/build'
import type { ContainersService } from '#engine/containers'
import type { Images } from '#engine/images'
import type { Snapshots } from '#engine/snapshots'
import type { Host } from '#host'

import { buildRoot } from './build-root.ts'
import { buildRunner } from './build-runner.ts'

export interface BuildNeeds {
  readonly images: Images
  readonly snapshots: Snapshots
  readonly containers: ContainersService
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly host: Host
  /** Emptied at every start. */
  readonly temporary: string
  readonly locks: KeyedLocks
}

/** The builder's ports on this engine. */
export function buildPorts(needs: BuildNeeds): BuildPorts {
  const { images, snapshots, clock, random, locks, temporary } = needs
  return {
    images: buildImages(images),
    layers: {
      addLayerTar: async (tar) => await images.addLayer(Readable.from(tar, { objectMode: false })),
      has: async (diffId) => await Promise.resolve(snapshots.hasLayer(diffId)),
    },
    root: buildRoot(needs),
    runner: buildRunner(needs),
    cache: buildCache(needs.store),
    clock,
    random,
    locks,
    spoolDirectory: temporary,
  }
}

function buildImages(images: Images): BuildImages {
  return {
    resolve: async (reference) => {
      const found = images.find(reference)
      return await Promise.resolve(found === undefined ? undefined : { id: found.id, config: images.config(found.id) })
    },
    commit: async (config) => {
      const image = await images.commit({ ...config, layers: config.diffIds })
      return image.id
    },
    tag: async (id, reference) => await images.tag(id, reference),
  }
}

function buildCache(store: RecordStore): BuildCache {
  const table = store.table<CacheRecord>('build-cache')
  return {
    get: async (key) => await Promise.resolve(table.get(key)),
    put: async (key, record) => await Promise.resolve(table.put(key, record)),
    list: async () => await Promise.resolve(table.entries().map(([key, record]) => ({ key, record }))),
    delete: async (key) => await Promise.resolve(table.delete(key)),
  }
}

/** Layers that a cached step needs: kept when images go. */
export function cachedLayers(store: RecordStore): ReadonlySet<Digest> {
  const records = store.table<CacheRecord>('build-cache').entries()
  return new Set(records.flatMap(([, record]) => (record.kind === 'layer' && record.diffId !== undefined ? [record.diffId] : [])))
}
