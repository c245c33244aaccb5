import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { keyedLocks } from '#base'
import type { RunMount } from '#engine/builder'

export type CacheMount = Extract<RunMount, { readonly kind: 'cache' }>

/** Directories of `RUN --mount=type=cache`: they outlive builds, and are shared between them as the mount says. */
export interface CacheDirectories {
  /** The stack gives the directory back. */
  take(mount: CacheMount, undo: AsyncDisposableStack): Promise<string>
}

export function cacheDirectories(home: string): CacheDirectories {
  const locks = keyedLocks()
  const inUse = new Set<string>()
  return {
    take: async (mount, undo) => {
      if (mount.sharing === 'locked') undo.use(await locks.acquire(mount.id))
      const path = join(home, mount.sharing === 'private' ? firstFree(mount.id, inUse, undo) : mount.id)
      if (!existsSync(path)) {
        mkdirSync(path, { recursive: true })
        chmodSync(path, mount.mode)
        chownSync(path, mount.uid, mount.gid)
      }
      return path
    },
  }
}

/** A private cache in use by another build is left to it: this one gets the next, which has its own content. */
function firstFree(id: string, inUse: Set<string>, undo: AsyncDisposableStack): string {
  let name = id
  for (let number = 1; inUse.has(name); number += 1) name = `${id}.${number}`
  inUse.add(name)
  undo.defer(() => void inUse.delete(name))
  return name
}
