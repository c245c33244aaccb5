import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { systemCodeOf, type Log } from '#base'
import type { Host } from '#host'

import type { ContainerRoots } from './containers.ts'
import { isDigestList, readJson, readLayerRecord, type LayerRecord } from './layer-record.ts'
import { makeDirectories, type Layers } from './layers.ts'
import { CONTAINER_FILE, hexOf, INDEX_FILE, TEMPORARY, type SnapshotPaths } from './paths.ts'
import type { LayerKind } from './port.ts'
import { planRecovery } from './recovery-plan.ts'

export interface RecoveryNeeds {
  readonly root: string
  readonly paths: SnapshotPaths
  readonly layers: Layers
  readonly containers: ContainerRoots
  readonly kind: LayerKind
  readonly host: Pick<Host, 'mounts'>
  readonly log: Log
}

export async function recoverSnapshots({ root, paths, layers, containers, kind, host, log }: RecoveryNeeds): Promise<void> {
  makeDirectories(paths)
  const records = readLayerRecords(paths, log)
  const found = readContainers(paths, log)
  const plan = planRecovery({
    mounts: ourMounts(host, root, paths),
    layers: records.map((record) => ({
      name: record.diffId,
      kind: record.kind,
      mountPoint: paths.mount(record.slot),
      index: join(paths.layer(record.diffId), INDEX_FILE),
    })),
    containers: found.map(({ id }) => ({ id, rootfs: paths.rootfs(id) })),
    kind,
  })
  for (const target of plan.unmount) host.mounts.unmount(target, { lazy: true })
  const actions = new Map(plan.layers.map(({ name, action }) => [name, action]))
  for (const record of records) {
    const action = actions.get(record.diffId)
    if (action !== 'discard') layers.adopt(record, action === 'adopt-attached')
    else moveAside(paths.layers, paths.layer(record.diffId))
  }
  for (const { id, digests } of found) containers.adopt(id, digests, plan.mountedContainers.includes(id))
  removeStaleMountPoints(paths, new Set(layers.list().map((record) => paths.mount(record.slot))))
  for (const directory of [paths.layers, paths.containers])
    for (const name of temporaryNames(directory)) await rm(join(directory, name), { recursive: true, force: true })
}

/** All below the root, and views elsewhere that were made of our layers. */
function ourMounts(host: Pick<Host, 'mounts'>, root: string, paths: SnapshotPaths) {
  const isOurs = (target: string) => target === root || target.startsWith(`${root}/`)
  return host.mounts
    .list()
    .filter(
      ({ target, type, superOptions }) =>
        isOurs(target) ||
        (type === 'overlay' &&
          superOptions.some((option) => option.startsWith('lowerdir') && option.includes(`${paths.mounts}/`))),
    )
}

function readLayerRecords(paths: SnapshotPaths, log: Log): LayerRecord[] {
  return readdirSync(paths.layers).flatMap((name) => {
    if (name.startsWith(TEMPORARY)) return []
    const record = readLayerRecord(join(paths.layers, name))
    if (record !== undefined && hexOf(record.diffId) === name) return [record]
    log.warn('a layer without a usable record is removed', { name })
    moveAside(paths.layers, join(paths.layers, name))
    return []
  })
}

/** A container whose list of layers is lost keeps its files: they may be all there is. Mounting it again writes the list anew. */
function readContainers(paths: SnapshotPaths, log: Log) {
  return readdirSync(paths.containers).flatMap((id) => {
    if (id.startsWith(TEMPORARY)) return []
    const digests = readJson(join(paths.containers, id, CONTAINER_FILE))
    if (isDigestList(digests)) return [{ id, digests }]
    log.warn('a container without a list of its layers is left alone', { id })
    return []
  })
}

function moveAside(directory: string, path: string): void {
  renameSync(path, join(directory, `${TEMPORARY}gone-${path.slice(path.lastIndexOf('/') + 1)}`))
}

function temporaryNames(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith(TEMPORARY))
}

function removeStaleMountPoints(paths: SnapshotPaths, live: ReadonlySet<string>): void {
  for (const name of readdirSync(paths.mounts)) {
    const path = join(paths.mounts, name)
    if (live.has(path)) continue
    try {
      rmdirSync(path)
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOTDIR') throw error
      if (existsSync(path) || systemCodeOf(error) === 'ENOTDIR') rmSync(path, { force: true })
    }
  }
}
