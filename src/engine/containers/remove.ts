import { rm } from 'node:fs/promises'

import type { Context } from './context.ts'
import { publish } from './create.ts'
import { containerError } from './errors.ts'
import { cancelRestart } from './cancel-restart.ts'
import { settleWaiters, type LiveContainer } from './live.ts'
import { removeMemoryFiles } from './memory-files.ts'
import { homeOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { SIGKILL, waitForExit } from './stop.ts'
import { anonymousVolumes, noteUnclaimed, removeUnclaimedVolumes } from './unclaimed-volumes.ts'

/** A killed process that is still there after this long is stuck in the kernel. */
const KILL_TIMEOUT_MS = 10_000
/** Somebody who starts a container as often as this while it is being removed means it. */
const MAX_TRIES = 10

export async function removeContainer(
  context: Context,
  live: LiveContainer,
  options: { force: boolean; volumes: boolean },
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    if (live.process !== null || ['paused', 'restarting'].includes(live.record.status.state)) {
      if (!options.force) throw refusal(live)
      live.isRemovalRequested = true
      live.isStopRequested = true
      await killForRemoval(context, live)
    }
    if (await removeIfStopped(context, live, options.volumes)) return
  }
  throw containerError('container.running', `container ${live.record.name} was started again while it was being removed`)
}

function refusal({ record }: LiveContainer) {
  return containerError(
    'container.running',
    `You cannot remove a ${record.status.state} container ${record.id}. Stop the container before attempting removal or force remove`,
  )
}

/** False: it runs, because a restart was under way when the removal began. */
async function removeIfStopped(context: Context, live: LiveContainer, removeVolumes: boolean): Promise<boolean> {
  return await context.locks.run(live.record.id, async () => {
    if (context.registry.tryFind(live.record.id) !== live) return true
    if (live.process !== null) return false
    cancelRestart(context, live)
    await removeRecord(context, live, { removeVolumes })
    return true
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
  dropRecord(context, live, options)
  await removeTraces(context, live.record)
}

/** The record goes first: from then on the name is free and a crash leaves only things that the next start sweeps. */
export function dropRecord(context: Context, live: LiveContainer, { removeVolumes }: { removeVolumes: boolean }): void {
  for (const session of live.waitingSessions) session.end()
  const volumes = removeVolumes ? anonymousVolumes(context, live.record.mounts) : []
  if (volumes.length === 0) context.registry.drop(live)
  else
    context.records.atomically(() => {
      noteUnclaimed(context, volumes)
      context.registry.drop(live)
    })
  publish(context, live.record, 'destroy')
  settleWaiters(live, 'removed')
}

/** What a container without a record has left on disk. */
export async function removeTraces(context: Context, record: ContainerRecord): Promise<void> {
  removeMemoryFiles(context, record.id)
  await context.snapshots.removeContainer(record.id)
  await rm(homeOf(context, record.id), { recursive: true, force: true })
  await context.images.sweep()
  await removeUnclaimedVolumes(context, anonymousVolumes(context, record.mounts))
}
