import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Random } from '#base'
import { unreachable } from '#base'
import type { RunMount } from '#engine/builder'
import type { ContainerSpec, ResolvedMount } from '#engine/containers'

import type { CacheDirectories } from './cache-directories.ts'

export interface MountNeeds {
  readonly caches: CacheDirectories
  readonly random: Random
  readonly temporary: string
}

/** Mounts of a RUN step, as the engine takes them. The stack gives back what they stand on. */
export async function prepareMounts(
  mounts: readonly RunMount[],
  needs: MountNeeds,
  undo: AsyncDisposableStack,
): Promise<{ readonly resolved: readonly ResolvedMount[]; readonly specs: ContainerSpec['mounts'] }> {
  const resolved: ResolvedMount[] = []
  for (const mount of mounts) resolved.push(await resolve(mount, needs, undo))
  const specs = mounts.flatMap((mount): ContainerSpec['mounts'] =>
    mount.kind === 'tmpfs'
      ? [{ type: 'tmpfs', target: mount.target, sizeBytes: mount.sizeBytes ?? null, mode: null, options: ['exec'] }]
      : [],
  )
  return { resolved, specs }
}

async function resolve(mount: RunMount, needs: MountNeeds, undo: AsyncDisposableStack): Promise<ResolvedMount> {
  const shared = { name: '', driver: '', propagation: '', target: mount.target }
  switch (mount.kind) {
    case 'tmpfs':
      return { ...shared, type: 'tmpfs', source: '', isReadOnly: false }
    case 'cache':
      return { ...shared, type: 'bind', source: await needs.caches.take(mount, undo), isReadOnly: mount.isReadOnly }
    case 'file': {
      const path = join(needs.temporary, `file-${needs.random.bytes(8).toString('hex')}`)
      undo.defer(() => rmSync(path, { force: true }))
      writeFileSync(path, mount.content)
      chmodSync(path, mount.mode)
      return { ...shared, type: 'bind', source: path, isReadOnly: true }
    }
    default:
      return unreachable(mount)
  }
}
