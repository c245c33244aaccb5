import { chmodSync, chownSync } from 'node:fs'

import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import type { ContainerRecord } from './record.ts'
import type { ContainerSpec } from './spec.ts'

/** The user namespace that a container is about to get. */
export interface JoinedUserNamespace {
  /** A process in it. */
  readonly pid: number
  readonly path: string
  readonly groups: number
}

export function isRemapped({ remap }: Pick<Context, 'remap'>, { namespaces }: Pick<ContainerSpec, 'namespaces'>): boolean {
  return remap !== undefined && namespaces.user !== 'host'
}

/** What would give the host's own namespaces to somebody who is nobody there. In dockerd's words. Error: `container.remap_conflict`. */
export function refuseWithRemap(context: Pick<Context, 'remap'>, spec: ContainerSpec): void {
  if (!isRemapped(context, spec)) return
  const refuse = (text: string) => {
    throw containerError('container.remap_conflict', text, {
      hint: 'Give --userns=host to leave the users of this one as they are.',
    })
  }
  if (spec.security.isPrivileged)
    refuse(
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
    )
  if (spec.network.mode === 'host') refuse("cannot share the host's network namespace when user namespaces are enabled")
  if (spec.namespaces.pid === 'host') refuse('cannot share the host PID namespace when user namespaces are enabled')
}

/** A new one, or that of the container whose namespaces are shared, for those belong to it. undefined: the host's. The stack lets go of it. */
export async function joinUserNamespace(
  context: Context,
  { id, spec }: ContainerRecord,
  undo: AsyncDisposableStack,
): Promise<JoinedUserNamespace | undefined> {
  const { remap } = context
  if (remap === undefined || !isRemapped(context, spec)) return undefined
  const modes = [spec.network.mode, spec.namespaces.pid, spec.namespaces.ipc]
  const donor = modes.find((mode) => mode.startsWith('container:'))
  const joins = donor === undefined ? undefined : pidOfDonor(context, donor.slice('container:'.length))
  const { pid } = undo.use(await remap.hold(id, joins))
  return { pid, path: `/proc/${pid}/ns/user`, groups: remap.groups }
}

function pidOfDonor(context: Context, ref: string): number {
  const { record, process } = context.registry.find(ref)
  if (!isRemapped(context, record.spec))
    throw containerError(
      'container.remap_conflict',
      `cannot share namespaces with container ${record.name}, which is in the host's user namespace`,
      { hint: 'Give --userns=host to this one as well.' },
    )
  if (process === null)
    throw containerError(
      'container.not_running',
      `cannot join the user namespace of container ${record.name}, which is not running`,
    )
  return process.pid
}

/** Makes a file of ours root's, as containers see it. */
export function giveToContainerRoot(context: Pick<Context, 'remap'>, spec: ContainerSpec, ...paths: readonly string[]): void {
  const { remap } = context
  if (remap === undefined || !isRemapped(context, spec)) return
  for (const path of paths) chownSync(path, remap.rootUid, remap.rootGid)
}

/** On the way to what it mounts, a container's root is one of the others: it comes in by its group, and nobody else does. */
export function letPass(
  context: Pick<Context, 'remap'>,
  spec: Pick<ContainerSpec, 'namespaces'>,
  ...directories: readonly string[]
): void {
  const { remap } = context
  if (remap === undefined || !isRemapped(context, spec)) return
  for (const directory of directories) {
    chownSync(directory, 0, remap.rootGid)
    chmodSync(directory, 0o710)
  }
}
