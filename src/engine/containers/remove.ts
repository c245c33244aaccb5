import { rm } from 'node:fs/promises'

import { messageOf } from '#base'

import type { Context } from './context.ts'
import { publish } from './create.ts'
import { containerError } from './errors.ts'
import { cancelRestart } from './cancel-restart.ts'
import { settleWaiters, type LiveContainer } from './live.ts'
import { homeOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { SIGKILL, waitForExit } from './stop.ts'

/** A killed process that is still there after this long is stuck in the kernel. */
const KILL_TIMEOUT_MS = 10_000

export async function removeContainer(
  context: Context,
  live: LiveContainer,
  options: { force: boolean; volumes: boolean },
): Promise<void> {
  const { status } = live.record
  if (live.process !== null || status.state === 'paused') {
    if (!options.force) {
      throw containerError(
        'container.running',
        `You cannot remove a ${status.state} container ${live.record.id}. Stop the container before attempting removal or force remove`,
      )
    }
    live.isRemovalRequested = true
    live.isStopRequested = true
    await killForRemoval(context, live)
  }
  await context.locks.run(live.record.id, async () => {
    if (context.registry.tryFind(live.record.id) !== live) return
    cancelRestart(context, live)
    if (live.process !== null)
      throw containerError('container.running', `container ${live.record.name} was started again while it was being removed`)
    await removeRecord(context, live, { removeVolumes: options.volumes })
  })
}

async function killForRemoval(context: Context, live: LiveContainer): Promise<void> {
  const { process } = live
  if (process === null) return
  if (live.record.status.state === 'paused') await context.runtime.resume(live.record.id).catch(() => undefined)
  const hasEnded = waitForExit(context, process, KILL_TIMEOUT_MS)
  process.signal(SIGKILL)
  if (!(await hasEnded)) {
    live.isRemovalRequested = false
    throw containerError('container.running', `container ${live.record.name} (pid ${process.pid}) does not end after SIGKILL`, {
      hint: 'A process waits in the kernel, mostly for a disk or network file system that does not answer. Try again later.',
    })
  }
}

/** Call with the lock held. */
export async function removeRecord(context: Context, live: LiveContainer, options: { removeVolumes: boolean }): Promise<void> {
  dropRecord(context, live)
  await removeTraces(context, live.record, options)
}

/** The record goes first: from then on the name is free and a crash leaves only things that the next start sweeps. */
export function dropRecord(context: Context, live: LiveContainer): void {
  for (const session of live.waitingSessions) session.end()
  context.registry.drop(live)
  publish(context, live.record, 'destroy')
  settleWaiters(live, 'removed')
}

/** What a container without a record has left on disk. */
export async function removeTraces(
  context: Context,
  record: ContainerRecord,
  options: { removeVolumes: boolean },
): Promise<void> {
  await context.snapshots.removeContainer(record.id)
  await rm(homeOf(context, record.id), { recursive: true, force: true })
  await context.images.sweep()
  if (options.removeVolumes) await removeAnonymousVolumes(context, record.mounts)
}

async function removeAnonymousVolumes(
  context: Context,
  mounts: readonly { readonly type: string; readonly name: string }[],
): Promise<void> {
  for (const mount of mounts) {
    if (mount.type !== 'volume') continue
    const isAnonymous = context.volumes.list().some((volume) => volume.name === mount.name && volume.isAnonymous)
    if (!isAnonymous || context.volumes.users(mount.name).length > 0) continue
    await context.volumes
      .remove(mount.name, { force: true })
      .catch((error: unknown) => context.log.warn('remove an anonymous volume', { volume: mount.name, error: messageOf(error) }))
  }
}
