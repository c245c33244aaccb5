import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { keyedLocks } from '#base'
import type { LayerPath, RunMount } from '#engine/builder'

import type { CacheMounts } from './cache-mounts.ts'

export type CacheMount = Extract<RunMount, { readonly kind: 'cache' }>

/** Directories of `RUN --mount=type=cache`: they outlive builds, and are shared between them as the mount says. */
export interface CacheDirectories {
  /** The stack gives the directory back. */
  take(mount: CacheMount, undo: AsyncDisposableStack): Promise<string>
}

/** Fills a new directory with a part of layers. */
export type SeedDirectory = (seed: LayerPath, path: string) => Promise<void>

export function cacheDirectories(home: string, fill: SeedDirectory, known: Pick<CacheMounts, 'use'>): CacheDirectories {
  const locks = keyedLocks()
  const inUse = new Set<string>()
  return {
    take: async (mount, undo) => {
      if (mount.sharing === 'locked') undo.use(await locks.acquire(mount.id))
      const name = mount.sharing === 'private' ? firstFree(mount.id, inUse, undo) : mount.id
      const path = join(home, name)
      // First, so that nobody takes it away meanwhile.
      known.use(name, `mount ${mount.target}`, undo)
      // Two steps may want a new one at once.
      await locks.run(`make ${path}`, () => makeOnce(path, mount, fill))
      return path
    },
  }
}

/** It has its name only when it is whole: what a kill left half filled is made anew. */
async function makeOnce(path: string, mount: CacheMount, fill: SeedDirectory): Promise<void> {
  if (existsSync(path)) return
  const half = `${path}.new`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true })
  if (mount.seed !== undefined) await fill(mount.seed, half)
  chmodSync(half, mount.mode)
  chownSync(half, mount.uid, mount.gid)
  renameSync(half, path)
}

/** A private cache in use by another build is left to it: this one gets the next, which has its own content. */
function firstFree(id: string, inUse: Set<string>, undo: AsyncDisposableStack): string {
  let name = id
  for (let number = 1; inUse.has(name); number += 1) name = `${id}.${number}`
  inUse.add(name)
  undo.defer(() => void inUse.delete(name))
  return name
}
