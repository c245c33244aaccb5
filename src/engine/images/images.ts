import type { Readable } from 'node:stream'

import { invariant, keyedLocks, type Clock, type Digest, type Log, type RecordStore } from '#base'
import type { ContentStore, StoredBlob } from '#engine/content'
import type { Events } from '#engine/events'

import { bootstrapImage } from './bootstrap/bootstrap.ts'
import { hostTools, type BootstrapTools } from './bootstrap/tools.ts'
import { bytesOf } from './bytes-of.ts'
import { isLayerUsed, openCatalog } from './catalog.ts'
import { commitImage } from './commit.ts'
import { importImage } from './import.ts'
import { createLayers, mustHave } from './layers.ts'
import { loadImages } from './load/load-images.ts'
import { moveName, readTagTarget, shownReference } from './names.ts'
import { publish, recordOf, type ImageParts } from './parts.ts'
import type { Images } from './port.ts'
import { newestFirst } from './record.ts'
import { collectOrphans, recoverImages } from './recover.ts'
import { planPrune, planRemove, planSweep, type RemoveStep, type RemoveView } from './remove-plan.ts'
import { applyRemoval } from './remove.ts'
import { mustResolve, resolve } from './resolve.ts'
import { saveImages } from './save/save-images.ts'
import type { ImageUser, LayerSnapshots } from './snapshots-port.ts'
import { temporaryPlaces } from './temporary-places.ts'
import { openTransfer } from './transfer.ts'

export interface ImagesNeeds {
  /** The engine's directory; temporary files go below it. */
  readonly root: string
  readonly records: RecordStore
  readonly content: ContentStore
  readonly snapshots: LayerSnapshots
  readonly events: Pick<Events, 'publish'>
  readonly clock: Clock
  readonly log: Log
  /** Containers that were made from the image. */
  readonly isInUse: (id: Digest) => readonly ImageUser[]
  /** Layers that records outside of this module name, such as those of a build cache: they stay without an image. */
  readonly keptLayers?: () => ReadonlySet<Digest>
  /** The programs that bootstrap runs; the host's, unless given. */
  readonly bootstrapTools?: BootstrapTools
}

export function createImages(needs: ImagesNeeds): Images {
  const { content, clock, snapshots, events } = needs
  const catalog = openCatalog(needs.records)
  const locks = keyedLocks()
  const isUsed = (digest: Digest) =>
    catalog.images.has(digest) || isLayerUsed(catalog, digest) || needs.keptLayers?.().has(digest) === true
  const layers = createLayers({ content, snapshots, locks, clock, isUsed })
  const parts: ImageParts = { catalog, content, layers, locks, clock, events }
  const places = temporaryPlaces(needs.root)
  const view: RemoveView = { images: catalog.images, names: catalog.names, usersOf: needs.isInUse }
  const carryOut = (steps: readonly RemoveStep[]) =>
    applyRemoval(parts, steps, (action, id, image, name) => publish(parts, action, id, name, image.config.config.labels))
  const get: Images['get'] = (ref) => recordOf(parts, mustResolve(catalog, ref).id)
  const sweep = async () => {
    const { reclaimedBytes } = await carryOut(planSweep(view))
    return reclaimedBytes + totalBytes(await layers.collect(layers.leftover()))
  }
  return {
    get,
    find: (ref) => {
      const found = resolve(catalog, ref)
      return found === undefined ? undefined : recordOf(parts, found.id)
    },
    list: () =>
      [...catalog.images].flatMap(([id, image]) => (image.isDetached ? [] : [recordOf(parts, id)])).toSorted(newestFirst),
    config: (ref) => {
      const image = catalog.images.get(mustResolve(catalog, ref).id)
      invariant(image !== undefined, `${ref} resolves to an image`)
      return image.config
    },
    tag: async (ref, target) => {
      const reference = readTagTarget(target)
      const { id } = mustResolve(catalog, ref)
      catalog.atomically(() => void moveName(catalog, clock, reference, id))
      publish(parts, 'tag', id, shownReference(reference), recordOf(parts, id).config.labels)
    },
    remove: async (ref, options) => {
      const { removed } = await carryOut(planRemove(view, mustResolve(catalog, ref), ref, options))
      return removed
    },
    prune: async ({ danglingOnly, keep }) => {
      const isKept = (id: Digest) => keep?.(recordOf(parts, id)) ?? false
      const { removed, reclaimedBytes } = await carryOut(planPrune(view, { danglingOnly, keep: isKept }))
      const sweptBytes = (await sweep()) + totalBytes(await collectOrphans(parts))
      return { deleted: removed, reclaimedBytes: reclaimedBytes + sweptBytes }
    },
    sweep: async () => void (await sweep()),
    load: (archive: Readable, options) => loadImages(parts, archive, { ...options, temporaryPath: places.next('load') }),
    save: (refs) => saveImages(parts, refs),
    import: (options) => importImage(parts, options),
    commit: (options) => commitImage(parts, options),
    addLayer: async (tar) => {
      const { diffId, sizeBytes } = await layers.add(bytesOf(tar), { compression: 'none' })
      return { diffId, sizeBytes }
    },
    transfer: () => openTransfer(parts),
    hasLayer: (diffId) => layers.stat(diffId) !== undefined,
    retainLayers: async (holder, kept) => {
      mustHave(layers, kept)
      const before = catalog.holders.get(holder) ?? []
      catalog.putHolder(holder, kept)
      await layers.collect(before)
    },
    releaseLayers: async (holder) => {
      const before = catalog.holders.get(holder) ?? []
      catalog.deleteHolder(holder)
      await layers.collect(before)
    },
    bootstrap: (ref, options) =>
      bootstrapImage(
        { parts, tools: needs.bootstrapTools ?? hostTools(), temporaryPath: () => places.next('bootstrap') },
        ref,
        options?.signal,
      ),
    recover: async () => {
      await places.clear()
      await recoverImages(parts, snapshots, needs.log)
      await sweep()
    },
  }
}

function totalBytes(blobs: readonly StoredBlob[]): number {
  return blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0)
}
