import { lstatSync, mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'

import type { Digest, Log } from '#base'
import type { Host } from '#host'
import { packTar } from '#oci/tar'

import { changesOf } from './changes.ts'
import { chooseDriver, type DriverChoice } from './choose-driver.ts'
import { containerRoots } from './containers.ts'
import { directoryDriver } from './directory-driver.ts'
import { erofsDriver } from './erofs-driver.ts'
import { snapshotError } from './errors.ts'
import { snapshotOf } from './layer-record.ts'
import { layersIn } from './layers.ts'
import { snapshotPaths, TEMPORARY } from './paths.ts'
import type { LayerKind, Snapshots } from './port.ts'
import { probeErofs } from './probe-erofs.ts'
import { recoverSnapshots } from './recover.ts'
import { membersOfDirectory } from './tree-tar.ts'
import { walkDirectory } from './walk.ts'

export interface SnapshotsNeeds {
  /** A directory of our own on a file system that overlayfs takes as its upper side. Short is good. */
  readonly root: string
  readonly host: Pick<Host, 'mounts' | 'files'>
  readonly log: Log
  readonly kind: LayerKind
}

/** Items between two looks at the event loop. */
const ITEMS_AT_ONCE = 1000

export function createSnapshots({ root, host, log, kind }: SnapshotsNeeds): Snapshots {
  const paths = snapshotPaths(root)
  const drivers = { erofs: erofsDriver(host), directory: directoryDriver() }
  const layers = layersIn({ paths, drivers, kind, host })
  const containers = containerRoots({ paths, layers, host, log })

  /** Layers, with a writable directory's state on top if given, at a path of its own until it is disposed of. */
  const viewOf = (digests: readonly Digest[], upper?: string): { readonly path: string } & Disposable => {
    const path = mkdtempSync(join(paths.containers, `${TEMPORARY}view-`))
    const view = containers.view(digests, path, { top: upper })
    return {
      path,
      [Symbol.dispose]: () => {
        view[Symbol.dispose]()
        rmdirSync(path)
      },
    }
  }

  return {
    kind,
    addLayer: async (diffId, tarPath, { tree } = {}) => snapshotOf(await layers.add(diffId, tarPath, tree)),
    hasLayer: (diffId) => layers.get(diffId) !== undefined,
    layer: (diffId) => {
      const record = layers.get(diffId)
      return record === undefined ? undefined : snapshotOf(record)
    },
    list: () => layers.list().map(snapshotOf),
    removeLayer: async (diffId) => {
      if (containers.isLayerUsed(diffId))
        throw snapshotError('snapshot.layer_in_use', `layer ${diffId} is in use by a container or a mount`)
      layers.remove(diffId)
    },
    mountContainer: ({ id, layers: digests, readOnly = false, mappingOf, isVolatile = false }) => ({
      rootfs: containers.mount(id, digests, { isReadOnly: readOnly, mappingOf, isVolatile }),
    }),
    unmountContainer: (id) => containers.unmount(id),
    removeContainer: (id) => containers.remove(id),
    containers: () => containers.list(),
    mountReadOnly: (digests, target, { mappingOf } = {}) => containers.view(digests, target, { mappingOf }),
    changes: async function* (id) {
      using lower = viewOf(containers.need(id).layers)
      let sinceYield = 0
      for (const change of changesOf(host.files, paths.upper(id), lower.path)) {
        yield change
        sinceYield += 1
        if (sinceYield % ITEMS_AT_ONCE === 0) await setImmediate()
      }
    },
    diffTar: (id) => {
      const { layers: digests } = containers.need(id)
      const withRoot = isRootChanged(paths.upper(id), () => viewOf(digests))
      return tarStream(membersOfDirectory({ files: host.files, directory: paths.upper(id), asLayer: true, withRoot }))
    },
    exportTar: (id) => {
      const { isMounted, rootfs, layers: digests } = containers.need(id)
      const pack = (directory: string) =>
        packTar(membersOfDirectory({ files: host.files, directory, asLayer: false, withRoot: true }))
      // Behind a mapping owners are others than those that the image knows.
      if (isMounted && !containers.mayBeMapped(id)) return Readable.from(pack(rootfs), { objectMode: false })
      const unmounted = async function* () {
        using view = viewOf(digests, paths.upper(id))
        yield* pack(view.path)
      }
      return Readable.from(unmounted(), { objectMode: false })
    },
    usage: async (id) => {
      containers.need(id)
      return await bytesOnDisk(paths.upper(id))
    },
    recover: () => recoverSnapshots({ root, paths, layers, containers, kind, host, log }),
  }
}

/** Tries what the kernel can do, chooses, recovers: ready for use. */
export async function openSnapshots(
  needs: Omit<SnapshotsNeeds, 'kind'> & { readonly kernelRelease: string; readonly wanted?: LayerKind },
): Promise<{ readonly snapshots: Snapshots; readonly choice: DriverChoice }> {
  const { root, host, log, kernelRelease, wanted } = needs
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const erofsProblem = wanted === 'directory' ? 'not tried' : probeErofs(host, root)
  const choice = chooseDriver({ kernelRelease, erofsProblem, ...(wanted === undefined ? {} : { wanted }) })
  const snapshots = createSnapshots({ root, host, log, kind: choice.kind })
  await snapshots.recover()
  return { snapshots, choice }
}

/** Mode and owner of `/`: an entry for it in a layer says that they are meant. */
function isRootChanged(upper: string, view: () => { readonly path: string } & Disposable): boolean {
  using lower = view()
  const [own, below] = [lstatSync(upper), lstatSync(lower.path)]
  return own.mode !== below.mode || own.uid !== below.uid || own.gid !== below.gid
}

function tarStream(members: ReturnType<typeof membersOfDirectory>): Readable {
  const bytes = packTar(members)
  return Readable.from(bytes, { objectMode: false })
}

async function bytesOnDisk(directory: string): Promise<number> {
  const counted = new Set<string>()
  let bytes = 0n
  let sinceYield = 0
  for (const { stat } of walkDirectory(directory)) {
    sinceYield += 1
    if (sinceYield % ITEMS_AT_ONCE === 0) await setImmediate()
    if (stat.nlink > 1n && !stat.isDirectory()) {
      const key = `${stat.dev}:${stat.ino}`
      if (counted.has(key)) continue
      counted.add(key)
    }
    bytes += stat.blocks * 512n
  }
  return Number(bytes)
}
