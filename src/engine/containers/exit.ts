import { rm } from 'node:fs/promises'

import { backoffMs, messageOf } from '#base'
import { formatTimeNs } from '#engine/logs'
import type { ExitRecord, RunningProcess } from '#engine/runtime'

import type { Context } from './context.ts'
import { publish } from './create.ts'
import { settleWaiters, type LiveContainer } from './live.ts'
import { leaveNetworks } from './networking.ts'
import type { ContainerRecord } from './record.ts'
import { cgroupPathOf, runDirOf, runtimeStateOf } from './paths.ts'
import { dropRecord, removeTraces } from './remove.ts'
import { planRestart, SETTLED_MS, type RestartPlan } from './restart-plan.ts'
import { releaseSharedMemory } from './shared-memory.ts'
import { startContainer } from './start.ts'
import { releaseVolumes } from './volume-sources.ts'

/** 128 + SIGKILL. */
const KILLED_EXIT = 137

/** An end that cannot be written down, mostly because the disk is full, is tried again until it can. */
const BOOKING_RETRY = { firstMs: 100, maxMs: 2_000 }

/** Follows a process to its end, whoever caused it, and then does what the record asks for. */
export function watchExit(context: Context, live: LiveContainer, process: RunningProcess): void {
  process.onLogLost((lines) => tellLogLost(context, live.record, lines))
  void bookExit(context, live, process)
}

/** The container goes on: what it writes meanwhile is missing from its log, and that is said. */
function tellLogLost(context: Context, { id, name }: ContainerRecord, lines: number): void {
  context.log.warn('the log of a container cannot be written: its lines are lost until it can', { container: name, lines })
  const attributes = { container: id, name, lines: String(lines), error: 'a log could not be written' }
  context.events.publish({ type: 'daemon', action: 'disk_full', actorId: '', attributes })
}

async function bookExit(context: Context, live: LiveContainer, process: RunningProcess): Promise<void> {
  const exit = await process.exited.catch(async (error: unknown) => await endOfLost(context, live, process, error))
  for (let failures = 1; ; failures += 1) {
    try {
      return await context.locks.run(live.record.id, async () => {
        const isOurs = live.process === process || live.process === null
        if (isOurs && context.registry.tryFind(live.record.id) === live) await afterExit(context, live, exit)
      })
    } catch (error) {
      context.log.error('book the end of a container', { container: live.record.name, failures, error: messageOf(error) })
      await context.clock.sleep(backoffMs(BOOKING_RETRY, failures))
    }
  }
}

/** The shim was killed: its process has no output and nobody to report to, so it ends as well, and that is booked as a kill. */
async function endOfLost(context: Context, live: LiveContainer, process: RunningProcess, error: unknown): Promise<ExitRecord> {
  context.log.warn('the shim of a container is gone', { container: live.record.name, error: messageOf(error) })
  await attempt(context, live.record, 'kill what its shim left', async () => {
    await context.host.cgroups.kill(cgroupPathOf(context, live.record.id, live.record.spec.resources.cgroupParent))
  })
  const { pid, startedAtNs } = process
  return { pid, exitCode: KILLED_EXIT, signal: 9, startedAtNs, exitedAtNs: context.clock.nowNs(), runtimeError: undefined }
}

/** Call with the lock held. May be called again when it fails. */
export async function afterExit(context: Context, live: LiveContainer, exit: ExitRecord): Promise<void> {
  const { record } = live
  const isOomKilled =
    (context.host.cgroups.usage(cgroupPathOf(context, record.id, record.spec.resources.cgroupParent))?.oomKills ?? 0) > 0
  const ranMs = Number((exit.exitedAtNs - exit.startedAtNs) / 1_000_000n)
  const setStatus = record.spec.shouldAutoRemove ? context.registry.setPassing : context.registry.setStatus
  const plan = planNext(live, exit.exitCode, ranMs)
  setStatus(live, {
    state: plan.restart ? 'restarting' : 'exited',
    pid: 0,
    exitCode: exit.exitCode,
    isOomKilled,
    finishedAt: formatTimeNs(exit.exitedAtNs),
    endpoints: {},
    ports: [],
    // Nobody looks any more: clients know that as this.
    ...(live.record.status.health === null ? {} : { health: { ...live.record.status.health, status: 'unhealthy' as const } }),
  })
  live.process = null
  live.health?.[Symbol.dispose]()
  live.health = null
  if (isOomKilled) publish(context, live.record, 'oom')
  publish(context, live.record, 'die', { exitCode: String(exit.exitCode), execDuration: String(Math.floor(ranMs / 1000)) })
  if (record.spec.shouldAutoRemove && !live.isRemovalRequested) return await removeEnded(context, live)
  await context.beforeLeaving(live.record)
  await takeDown(context, live.record)
  settleWaiters(live, 'exit')
  if (plan.restart) scheduleRestart(context, live, plan.afterMs)
  else context.log.debug('container stays stopped', { container: record.name, why: plan.why })
}

/**
 * `--rm`: whoever waits for the removal is told once name, addresses and ports are free. Mounts, cgroups and files follow, still under the
 * container's lock; should the daemon die now, they are swept at its next start.
 */
async function removeEnded(context: Context, live: LiveContainer): Promise<void> {
  await attempt(context, live.record, 'leave its networks', async () => await leaveNetworks(context, live.record))
  dropRecord(context, live, { removeVolumes: true })
  // The answers to those who wait go out before the slow work starts.
  await new Promise((resolve) => setImmediate(resolve))
  await takeDown(context, live.record)
  await removeTraces(context, live.record)
}

/**
 * Gives back what the kernel holds for a container that has ended. What cannot be given back keeps neither the rest nor the container's
 * next step; the next start of the container or of the daemon tries again. The run directory goes last: it is what tells of the others.
 */
export async function takeDown(context: Context, record: ContainerRecord): Promise<void> {
  const { id, spec } = record
  const cgroup = cgroupPathOf(context, id, spec.resources.cgroupParent)
  await attempt(context, record, 'leave its networks', async () => await leaveNetworks(context, record))
  await attempt(context, record, 'end its last processes', async () => {
    // With a process namespace of its own the kernel has killed them when the first one ended.
    if (spec.namespaces.pid !== '') await context.host.cgroups.kill(cgroup)
  })
  await attempt(context, record, 'unmount its root', () => context.snapshots.unmountContainer(id))
  if (record.mounts.some(({ type }) => type === 'volume'))
    await attempt(context, record, 'let go of its volumes', async () => await releaseVolumes(context, record))
  await attempt(context, record, 'remove its cgroup', async () => await context.host.cgroups.remove(cgroup))
  await attempt(context, record, 'remove its run directory', async () => {
    releaseSharedMemory(context, id)
    // Off the main thread: beside others that do the same, a file system makes each of these wait.
    const directories = [runtimeStateOf(context, id), runDirOf(context, id)]
    await Promise.all(directories.map(async (directory) => await rm(directory, { recursive: true, force: true })))
  })
}

async function attempt(context: Context, { name }: ContainerRecord, what: string, work: () => Promise<void> | void) {
  try {
    await work()
  } catch (error) {
    context.log.warn('clean up after a container', { container: name, step: what, error: messageOf(error) })
  }
}

/** A run that lasted ends a row of failures. */
function planNext(live: LiveContainer, exitCode: number, ranMs: number): RestartPlan {
  if (live.isRemovalRequested) return { restart: false, why: 'it is being removed' }
  if (ranMs >= SETTLED_MS) live.failures = 0
  const { spec, status } = live.record
  return planRestart({
    policy: spec.restart,
    exitCode,
    isManuallyStopped: live.isStopRequested || status.isManuallyStopped,
    failures: live.failures,
    restartCount: status.restartCount,
  })
}

export function scheduleRestart(context: Context, live: LiveContainer, afterMs: number): void {
  live.failures += 1
  if (live.record.status.state !== 'restarting') context.registry.setStatus(live, { state: 'restarting' })
  live.restart = context.clock.after(afterMs, () => {
    live.restart = null
    context.locks
      .run(live.record.id, async () => await restartNow(context, live))
      .catch((error: unknown) =>
        context.log.error('restart a container', { container: live.record.name, error: messageOf(error) }),
      )
  })
}

async function restartNow(context: Context, live: LiveContainer): Promise<void> {
  if (live.record.status.state !== 'restarting') return
  try {
    context.registry.setStatus(live, { restartCount: live.record.status.restartCount + 1 })
    await startContainer(context, live)
  } catch (error) {
    context.log.warn('restart failed', { container: live.record.name, error: messageOf(error) })
    const plan = planRestart({
      policy: live.record.spec.restart,
      exitCode: live.record.status.exitCode,
      isManuallyStopped: false,
      failures: live.failures,
      restartCount: live.record.status.restartCount,
    })
    if (plan.restart) scheduleRestart(context, live, plan.afterMs)
    else context.registry.setStatus(live, { state: 'exited' })
  }
}
