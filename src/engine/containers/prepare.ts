import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

import type { Digest } from '#base'
import type { RuntimeSpec } from '#oci/runtime-spec'

import type { Context } from './context.ts'
import { joinNetworks, type JoinedNetwork } from './networking.ts'
import { cgroupPathOf, runDirOf, runtimeStateOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { mountRoot } from './root.ts'
import { runtimeSpec } from './runtime-input.ts'
import { joinUserNamespace, letPass } from './user-namespace.ts'
import { provideSharedMemory, releaseSharedMemory } from './shared-memory.ts'
import { holdSources } from './volume-sources.ts'

export interface Prepared {
  /** The shim's directory and the bundle. */
  readonly dir: string
  readonly rootfs: string
  readonly network: JoinedNetwork
  readonly spec: RuntimeSpec
  /** What is needed until the process runs, and no longer. */
  readonly scaffold: AsyncDisposable
}

/** An OCI runtime that fails or is killed may leave its state, a cgroup and even a process. */
async function removeRemains(context: Context, { id, spec }: ContainerRecord): Promise<void> {
  const cgroup = cgroupPathOf(context, id, spec.resources.cgroupParent)
  await context.host.cgroups.kill(cgroup)
  await context.host.cgroups.remove(cgroup)
  rmSync(runtimeStateOf(context, id), { recursive: true, force: true })
}

/** Of a container's root: its own directory, that of all containers, and that of all snapshots, which nobody else enters. */
function parentsOf(rootfs: string): readonly string[] {
  const own = dirname(rootfs)
  return [own, dirname(own), dirname(dirname(own))]
}

/** All that has to be there before the OCI runtime is called. The stack undoes what was done if a later step fails. */
export async function prepare(
  context: Context,
  record: ContainerRecord,
  layers: readonly Digest[],
  undo: AsyncDisposableStack,
  { isVolatile }: { readonly isVolatile?: boolean } = {},
): Promise<Prepared> {
  const dir = runDirOf(context, record.id)
  releaseSharedMemory(context, record.id)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true, mode: 0o711 })
  undo.defer(() => rmSync(dir, { recursive: true, force: true }))
  undo.defer(async () => await removeRemains(context, record))
  const scaffold = undo.use(new AsyncDisposableStack())
  const users = await joinUserNamespace(context, record, scaffold)
  const root = mountRoot(context, record.id, layers, undo, { mappingOf: users?.pid, isVolatile })
  letPass(context, record.spec, ...parentsOf(root.path))
  const shmSource = provideSharedMemory(context, record, undo)
  const sources = await holdSources(context, record, record.id, { volumes: undo, pins: scaffold })
  const network = await joinNetworks(context, record, undo)
  const spec = runtimeSpec(context, record, { rootfs: root.path, network, shmSource, users, sources })
  return { dir, rootfs: root.path, network, spec, scaffold }
}
