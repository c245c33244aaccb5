import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { unreachable, type Random } from '#base'
import type { RunMount } from '#engine/builder'
import type { ContainerSpec, ResolvedMount } from '#engine/containers'
import type { Snapshots } from '#engine/snapshots'

import { proxyAgent } from './agent-proxy.ts'
import type { CacheDirectories } from './cache-directories.ts'
import { openTree } from './mounted-trees.ts'

export interface MountNeeds {
  readonly caches: CacheDirectories
  readonly random: Random
  readonly snapshots: Snapshots
  /** On the disk of the engine. */
  readonly temporary: string
  /** In memory. */
  readonly secretDirectory: string
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
  const bind = (source: string, isReadOnly: boolean): ResolvedMount => ({ ...shared, type: 'bind', source, isReadOnly })
  switch (mount.kind) {
    case 'tmpfs':
      return { ...shared, type: 'tmpfs', source: '', isReadOnly: false }
    case 'cache':
      return bind(await needs.caches.take(mount, undo), mount.isReadOnly)
    case 'tree':
      return bind(openTree(needs, mount, undo), !mount.isWritable)
    case 'socket': {
      const path = temporaryPath(needs.temporary, 'agent', needs.random)
      undo.use(await proxyAgent(mount.socketPath, path))
      restrict(path, mount)
      return bind(path, false)
    }
    case 'file': {
      const directory = mount.isSecret ? needs.secretDirectory : needs.temporary
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const path = temporaryPath(directory, 'file', needs.random)
      undo.defer(() => rmSync(path, { force: true }))
      writeFileSync(path, mount.content, { mode: 0o600 })
      restrict(path, mount)
      return bind(path, true)
    }
    default:
      return unreachable(mount)
  }
}

function temporaryPath(directory: string, kind: string, random: Random): string {
  return join(directory, `${kind}-${random.bytes(8).toString('hex')}`)
}

function restrict(path: string, { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number }): void {
  chmodSync(path, mode)
  chownSync(path, uid, gid)
}
