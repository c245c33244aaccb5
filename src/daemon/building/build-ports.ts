import { join } from 'node:path'
import { Readable } from 'node:stream'

import type { Clock, Digest, KeyedLocks, Log, Random, RecordStore } from '#base'
import { buildCache, fairTurns, type BuilderPorts, type BuildImages } from '#engine/builder'
import type { KeptContexts } from '#engine/builder/kept-context'
import { createRemoteSources, decompressor } from '#engine/builder/remote'
import type { ImageUse } from '#engine/collection'
import type { ContainersService } from '#engine/containers'
import type { ContentStore } from '#engine/content'
import type { ImageRecord, Images } from '#engine/images'
import type { Registries } from '#engine/registry'
import type { Snapshots } from '#engine/snapshots'
import type { Host } from '#host'
import { isDigest } from '#oci/digest'
import { choosePlatform, platform, type Platform } from '#oci/image'

import type { BuildLimits } from './build-limits.ts'
import { buildRoot } from './build-root.ts'
import { buildRunner } from './build-runner.ts'
import { pullBase } from './pull-base.ts'
import { canRun } from './can-run.ts'
import { buildExchange } from './exchange.ts'
import { cacheMounts } from './cache-mounts.ts'
import { contextPlace } from './context-place.ts'
import { cacheDirectories } from './cache-directories.ts'
import { seedCache } from './seed-cache.ts'

export interface BuildNeeds {
  readonly root: string
  readonly images: Images
  readonly registries: Registries
  readonly contexts: KeptContexts
  readonly content: ContentStore
  readonly snapshots: Snapshots
  readonly containers: ContainersService
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly host: Host
  readonly builds: BuildLimits
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
  const cacheHome = join(needs.root, 'build-caches')
  const mounts = cacheMounts(cacheHome, needs)
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
      caches: cacheDirectories(cacheHome, seedCache(needs), mounts),
      runDefaults: needs.builds,
      secretDirectory: join(needs.runDir, 'secrets'),
    }),
    places: [mounts, contextPlace(needs.contexts)],
    cache: buildCache(needs.store),
    exchange: buildExchange(needs),
    canRun: (platform) => canRun(platform),
    remote: createRemoteSources({ clock, directory: temporary }),
    decompress: decompressor(),
    clock,
    random,
    locks,
    turns: fairTurns(needs.builds.atOnce),
    spoolDirectory: temporary,
  }
}

function platformOf({ os, architecture, variant }: ImageRecord): Platform {
  return platform(os, architecture, variant)
}

function buildImages(images: Images, registries: Registries, imageUse: BuildNeeds['imageUse']): BuildImages {
  return {
    resolve: async (reference, { platform, isPullForced, signal, credentials }) => {
      const fits = (image: ImageRecord) => choosePlatform(platform, [image], platformOf) !== undefined
      const before = images.find(reference)
      if (isPullForced || before === undefined || !fits(before))
        await pullBase(registries, reference, { platform, isPullForced, signal, credentials })
      const found = images.find(reference)
      if (found === undefined) return undefined
      // For another machine than this one: the name stays with what it meant here.
      if (before !== undefined && before.id !== found.id && fits(found) && !fits(before)) await images.tag(before.id, reference)
      imageUse.touch(found.id)
      const digests = found.repoDigests.map((name) => name.slice(name.indexOf('@') + 1)).filter(isDigest)
      return { id: found.id, config: images.config(found.id), digests }
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
