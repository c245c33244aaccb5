import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import { runDirOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { giveToContainerRoot } from './user-namespace.ts'

const HOST_DIRECTORY = '/dev/shm'
/** Everybody may make files, and remove only their own. */
const MODE = 0o1777

/** Where the /dev/shm of a container lies that others may join. */
function sharedMemoryDir(places: Parameters<typeof runDirOf>[0], id: string): string {
  return join(runDirOf(places, id), 'shm')
}

/**
 * What a container has as /dev/shm, which goes with its IPC namespace: undefined for one of its own, null for none, else a directory.
 * One that others may join is mounted by us, for a mount within the container could not be given on. The stack takes it away again.
 */
export function provideSharedMemory(
  context: Context,
  { id, spec }: ContainerRecord,
  undo: AsyncDisposableStack,
): string | null | undefined {
  const mode = spec.namespaces.ipc
  if (mode === 'none') return null
  if (mode === 'host') return HOST_DIRECTORY
  if (mode.startsWith('container:')) return directoryOfOther(context, mode.slice('container:'.length))
  if (mode !== 'shareable') return undefined
  const directory = sharedMemoryDir(context, id)
  mkdirSync(directory, { recursive: true })
  undo.defer(() => releaseSharedMemory(context, id))
  context.host.mounts.tmpfs({ target: directory, sizeBytes: spec.resources.shmBytes, mode: MODE })
  giveToContainerRoot(context, spec, directory)
  return directory
}

/** Before its run directory is removed, which would otherwise empty it first. Not mounted is fine. */
export function releaseSharedMemory(context: Pick<Context, 'host' | 'runDir' | 'root' | 'instance'>, id: string): void {
  context.host.mounts.unmount(sharedMemoryDir(context, id), { lazy: true })
}

/** Errors: `container.ipc_private` in dockerd's words; what does not run has no memory to share. */
function directoryOfOther(context: Context, ref: string): string {
  const { record, process } = context.registry.find(ref)
  const refusal = `can't join IPC of container ${record.id}`
  if (process === null) throw containerError('container.not_running', `${refusal}: Container ${record.id} is not running`)
  const mode = record.spec.namespaces.ipc
  if (mode === 'shareable') return sharedMemoryDir(context, record.id)
  if (mode === 'host') return HOST_DIRECTORY
  throw containerError(
    'container.ipc_private',
    `${refusal}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  )
}
