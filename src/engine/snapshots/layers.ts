import { closeSync, fstatSync, mkdirSync, mkdtempSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'

import { keyedLocks, type Digest } from '#base'
import type { Host } from '#host'
import { layerMerge, type LayerTree } from '#oci/erofs'
import { scanTar } from '#oci/tar'

import type { LayerDriver } from './driver.ts'
import { layerFailure, snapshotError } from './errors.ts'
import { writeLayerRecord, type LayerRecord } from './layer-record.ts'
import { hexOf, TEMPORARY, type SnapshotPaths } from './paths.ts'
import type { LayerKind } from './port.ts'

/** Layers on disk and their mounts, whoever uses them. */
export interface Layers {
  add(diffId: Digest, tarPath: string, tree: LayerTree | undefined): Promise<LayerRecord>
  get(diffId: Digest): LayerRecord | undefined
  /** Errors: `snapshot.layer_not_found`. */
  need(diffId: Digest): LayerRecord
  list(): readonly LayerRecord[]
  /** The caller has seen that nobody uses it. */
  remove(diffId: Digest): void
  /** Mounts it unless it is, and gives where. */
  attached(record: LayerRecord): string
  /** What recovery found. */
  adopt(record: LayerRecord, isAttached: boolean): void
}

/** Entries between two looks at the event loop: some milliseconds. */
const ENTRIES_AT_ONCE = 2000

export interface LayersNeeds {
  readonly paths: SnapshotPaths
  readonly drivers: Readonly<Record<LayerKind, LayerDriver>>
  /** Of layers that are made; those that are there keep theirs. */
  readonly kind: LayerKind
  readonly host: Pick<Host, 'files'>
}

export function layersIn({ paths, drivers, kind, host }: LayersNeeds): Layers {
  const records = new Map<Digest, LayerRecord>()
  const attached = new Set<number>()
  const locks = keyedLocks()
  let nextSlot = 0

  const build = async (diffId: Digest, tarPath: string, known: LayerTree | undefined): Promise<LayerRecord> => {
    const directory = mkdtempSync(join(paths.layers, TEMPORARY))
    try {
      const { tree, contentBytes } = await readTree(tarPath, known)
      const { indexBytes } = await drivers[kind].build({ tree, tarPath, contentBytes, identity: hexOf(diffId), directory })
      const record: LayerRecord = {
        version: 1,
        diffId,
        kind,
        slot: nextSlot++,
        indexBytes,
        entries: tree.entries,
        contentBytes,
        fileBytes: tree.fileBytes,
        isRootOpaque: tree.isRootOpaque,
        isRootExplicit: tree.isRootExplicit,
      }
      writeLayerRecord(directory, record)
      host.files.syncDirectory(directory)
      rmSync(paths.layer(diffId), { recursive: true, force: true })
      renameSync(directory, paths.layer(diffId))
      host.files.syncDirectory(paths.layers)
      records.set(diffId, record)
      return record
    } catch (error) {
      rmSync(directory, { recursive: true, force: true })
      throw layerFailure(`layer ${diffId}`, error)
    }
  }

  return {
    add: (diffId, tarPath, tree) => {
      hexOf(diffId)
      return locks.run(diffId, async () => records.get(diffId) ?? (await build(diffId, tarPath, tree)))
    },
    get: (diffId) => records.get(diffId),
    need: (diffId) => {
      const record = records.get(diffId)
      if (record === undefined) throw snapshotError('snapshot.layer_not_found', `layer ${diffId} is not here`)
      return record
    },
    list: () => [...records.values()],
    remove: (diffId) => {
      const record = records.get(diffId)
      if (record === undefined) return
      if (attached.delete(record.slot)) drivers[record.kind].detach(paths.mount(record.slot))
      records.delete(diffId)
      // From here on a crash leaves what recovery deletes. No new directory: a full disk has no room for one, and this is what empties it.
      const gone = join(paths.layers, `${TEMPORARY}gone-${hexOf(diffId)}`)
      rmSync(gone, { recursive: true, force: true })
      renameSync(paths.layer(diffId), gone)
      rmSync(gone, { recursive: true, force: true })
    },
    attached: (record) => {
      const target = paths.mount(record.slot)
      if (!attached.has(record.slot)) {
        drivers[record.kind].attach(paths.layer(record.diffId), target)
        attached.add(record.slot)
      }
      return target
    },
    adopt: (record, isAttached) => {
      records.set(record.diffId, record)
      nextSlot = Math.max(nextSlot, record.slot + 1)
      if (isAttached) attached.add(record.slot)
    },
  }
}

async function readTree(tarPath: string, known: LayerTree | undefined): Promise<{ tree: LayerTree; contentBytes: number }> {
  const fd = openSync(tarPath, 'r')
  try {
    const contentBytes = fstatSync(fd).size
    if (known !== undefined) return { tree: known, contentBytes }
    const merge = layerMerge()
    let sinceYield = 0
    for (const entry of scanTar((buffer, position) => readSync(fd, buffer, 0, buffer.length, position), contentBytes)) {
      merge.add(entry)
      sinceYield += 1
      if (sinceYield < ENTRIES_AT_ONCE) continue
      sinceYield = 0
      await setImmediate()
    }
    return { tree: merge.finish(), contentBytes }
  } finally {
    closeSync(fd)
  }
}

export function makeDirectories(paths: SnapshotPaths): void {
  for (const path of [paths.layers, paths.mounts, paths.containers]) mkdirSync(path, { recursive: true, mode: 0o700 })
  for (const path of paths.empty) mkdirSync(path, { recursive: true, mode: 0o755 })
}
