import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Digest, Log } from '#base'
import { errnoOf, type Host } from '#host'

import { snapshotError } from './errors.ts'
import type { Layers } from './layers.ts'
import { mappedPlaces } from './mapped-places.ts'
import { checkMountPoints } from './mount-points.ts'
import { CONTAINER_FILE, TEMPORARY, type SnapshotPaths } from './paths.ts'
import type { ContainerSnapshot } from './port.ts'
import { planStack, type Stack } from './stack.ts'

/** The writable directories of containers and their mounts, and views of layers alone. */
export interface ContainerRoots {
  mount(id: string, layers: readonly Digest[], options: MountOptions): string
  unmount(id: string): void
  remove(id: string): Promise<void>
  list(): readonly ContainerSnapshot[]
  /** Errors: `snapshot.container_not_found`. */
  need(id: string): ContainerSnapshot
  /** Whether owners look shifted where its root is mounted. Of a mount that another daemon made nobody knows: it is taken for one. */
  mayBeMapped(id: string): boolean
  /** `top`: a directory over the layers, read like them. */
  view(
    layers: readonly Digest[],
    target: string,
    options?: { readonly top?: string | undefined; readonly mappingOf?: number | undefined },
  ): Disposable
  isLayerUsed(diffId: Digest): boolean
  adopt(id: string, layers: readonly Digest[], isMounted: boolean): void
}

interface MountOptions {
  readonly isReadOnly: boolean
  /** A process in the user namespace whose mapping the owners go through. */
  readonly mappingOf: number | undefined
  readonly isVolatile: boolean
}

export interface ContainerRootsNeeds {
  readonly paths: SnapshotPaths
  readonly layers: Layers
  readonly host: Pick<Host, 'mounts'>
  readonly log: Log
}

export function containerRoots({ paths, layers, host, log }: ContainerRootsNeeds): ContainerRoots {
  const known = new Map<string, { readonly layers: readonly Digest[]; isMounted: boolean; isMapped?: boolean }>()
  const views = new Map<symbol, readonly Digest[]>()

  const lowersOf = (digests: readonly Digest[]): { lowers: string[]; stack: Stack } => {
    const records = digests.map((digest) => layers.need(digest))
    const stack = planStack(records)
    const bySlot = new Map(records.map((record) => [record.slot, record]))
    const lowers = stack.slots.flatMap((slot) => {
      const record = bySlot.get(slot)
      return record === undefined ? [] : [layers.attached(record)]
    })
    return { lowers, stack }
  }

  const unmountNow = (target: string) => {
    try {
      host.mounts.unmount(target)
    } catch (error) {
      if (errnoOf(error) !== 'EBUSY') throw error
      log.warn('a root is still in use and goes away when its last user ends', { target })
      host.mounts.unmount(target, { lazy: true })
    }
  }

  /** Whole or absent: recovery deletes the temporary name. */
  const create = (id: string, digests: readonly Digest[], { rootSlot }: Stack) => {
    if (existsSync(paths.upper(id))) return recordLayers(id, digests)
    const place = mkdtempSync(join(paths.containers, TEMPORARY))
    try {
      for (const name of ['upper', 'work', 'rootfs']) mkdirSync(join(place, name), { mode: 0o755 })
      // The writable directory's root is what the container sees as its root.
      if (rootSlot !== undefined) copyOwnerAndMode(`${paths.mount(rootSlot)}/.`, join(place, 'upper'))
      writeFileSync(join(place, CONTAINER_FILE), JSON.stringify(digests), { mode: 0o600 })
      renameSync(place, paths.container(id))
    } catch (error) {
      rmSync(place, { recursive: true, force: true })
      throw error
    }
    known.set(id, { layers: digests, isMounted: false })
  }

  /** The list got lost in a power cut; what the container wrote did not. */
  const recordLayers = (id: string, digests: readonly Digest[]) => {
    for (const path of [paths.work(id), paths.rootfs(id)]) mkdirSync(path, { recursive: true })
    writeFileSync(join(paths.container(id), CONTAINER_FILE), JSON.stringify(digests), { mode: 0o600 })
    known.set(id, { layers: digests, isMounted: false })
  }

  const discard = async (id: string) => {
    known.delete(id)
    const gone = mkdtempSync(join(paths.containers, TEMPORARY))
    renameSync(paths.container(id), join(gone, 'container'))
    await rm(gone, { recursive: true, force: true })
  }

  const mountOverlay = (id: string, plain: readonly string[], { isReadOnly, mappingOf, isVolatile }: MountOptions) => {
    const target = paths.rootfs(id)
    // The overlay keeps what it was made of: the mapped copies are needed for a moment only.
    using mapped = mappedPlaces({ paths, host }, mappingOf)
    const lowers = mapped.lowers(plain)
    const own = isReadOnly ? paths.container(id) : mapped.own(paths.container(id))
    if (isReadOnly) host.mounts.overlay({ lowers: atLeastTwo(lowers, paths), target })
    else
      host.mounts.overlay({
        lowers: atLeastOne(lowers, paths),
        upper: join(own, 'upper'),
        work: join(own, 'work'),
        target,
        mappingOf,
        volatile: isVolatile,
      })
    try {
      checkMountPoints(target)
    } catch (error) {
      unmountNow(target)
      throw error
    }
  }

  const need: ContainerRoots['need'] = (id) => {
    const rootfs = paths.rootfs(id)
    const container = known.get(id)
    if (container === undefined) throw snapshotError('snapshot.container_not_found', `container ${id} has no root here`)
    return { id, layers: container.layers, isMounted: container.isMounted, rootfs }
  }

  return {
    mount: (id, digests, options) => {
      const before = known.get(id)
      if (before !== undefined && !isSame(before.layers, digests))
        throw snapshotError('snapshot.container_conflict', `container ${id} has its root on other layers`)
      const rootfs = paths.rootfs(id)
      const isMapped = options.mappingOf !== undefined
      if (before?.isMounted === true && before.isMapped === isMapped) return rootfs
      // Left by one who saw other owners.
      if (before?.isMounted === true) unmountNow(rootfs)
      const { lowers, stack } = lowersOf(digests)
      const isNew = before === undefined && !existsSync(paths.container(id))
      if (before === undefined) create(id, [...digests], stack)
      try {
        mountOverlay(id, lowers, options)
      } catch (error) {
        if (isNew) {
          known.delete(id)
          rmSync(paths.container(id), { recursive: true, force: true })
        }
        throw error
      }
      known.set(id, { layers: [...digests], isMounted: true, isMapped })
      return rootfs
    },
    unmount: (id) => {
      const container = known.get(id)
      if (container?.isMounted !== true) return
      unmountNow(paths.rootfs(id))
      container.isMounted = false
    },
    remove: async (id) => {
      const container = known.get(id)
      if (container === undefined) return
      if (container.isMounted) unmountNow(paths.rootfs(id))
      await discard(id)
    },
    list: () => [...known.keys()].map(need),
    need,
    mayBeMapped: (id) => known.get(id)?.isMapped ?? true,
    view: (digests, target, { top, mappingOf } = {}) => {
      using mapped = mappedPlaces({ paths, host }, mappingOf)
      const lowers = mapped.lowers(lowersOf(digests).lowers)
      host.mounts.overlay({ lowers: atLeastTwo(top === undefined ? lowers : [top, ...lowers], paths), target })
      const key = Symbol(target)
      views.set(key, [...digests])
      return {
        [Symbol.dispose]: () => {
          if (!views.delete(key)) return
          unmountNow(target)
        },
      }
    },
    isLayerUsed: (diffId) =>
      [...known.values()].some((container) => container.layers.includes(diffId)) ||
      [...views.values()].some((used) => used.includes(diffId)),
    adopt: (id, digests, isMounted) => void known.set(id, { layers: digests, isMounted }),
  }
}

function copyOwnerAndMode(from: string, to: string): void {
  const stat = lstatSync(from)
  if (stat.uid !== 0 || stat.gid !== 0) chownSync(to, stat.uid, stat.gid)
  if ((stat.mode & 0o7777) !== 0o755) chmodSync(to, stat.mode & 0o7777)
}

function atLeastOne(lowers: readonly string[], { empty }: SnapshotPaths): readonly string[] {
  return lowers.length > 0 ? lowers : [empty[0]]
}

function atLeastTwo(lowers: readonly string[], { empty }: SnapshotPaths): readonly string[] {
  return [...lowers, ...empty].slice(0, Math.max(2, lowers.length))
}

function isSame(left: readonly Digest[], right: readonly Digest[]): boolean {
  return left.length === right.length && left.every((digest, index) => digest === right[index])
}
