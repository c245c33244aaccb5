import { rmSync } from 'node:fs'

import { messageOf } from '#base'
import { formatTimeNs } from '#engine/logs'
import type { ExitRecord, RunningProcess } from '#engine/runtime'

import type { Context } from './context.ts'
import { publish } from './create.ts'
import { settleWaiters, type LiveContainer } from './live.ts'
import { leaveNetworks } from './networking.ts'
import type { ContainerRecord } from './record.ts'
import { cgroupPathOf, runDirOf, runtimeStateOf } from './paths.ts'
import { dropRecord, removeTraces } from './remove.ts'
import { planRestart, SETTLED_MS } from './restart-plan.ts'
import { startContainer } from './start.ts'

/** 128 + SIGKILL. */
const KILLED_EXIT = 137

/** Follows a process to its end, whoever caused it, and then does what the record asks for. */
export function watchExit(context: Context, live: LiveContainer, process: RunningProcess): void {
  process.exited
    .catch(async (error: unknown) => await endOfLost(context, live, process, error))
    .then(async (exit) => await context.locks.run(live.record.id, async () => await afterExit(context, live, process, exit)))
    .catch((error: unknown) =>
      context.log.error('after the exit of a container', { container: live.record.name, error: messageOf(error) }),
    )
}

/** The shim was killed: its process has no output and nobody to report to, so it ends as well, and that is booked as a kill. */
async function endOfLost(context: Context, live: LiveContainer, process: RunningProcess, error: unknown): Promise<ExitRecord> {
  context.log.warn('the shim of a container is gone', { container: live.record.name, error: messageOf(error) })
  await context.host.cgroups.kill(cgroupPathOf(context, live.record.id, live.record.spec.resources.cgroupParent))
  const { pid, startedAtNs } = process
  return { pid, exitCode: KILLED_EXIT, signal: 9, startedAtNs, exitedAtNs: context.clock.nowNs(), runtimeError: undefined }
}

/** Call with the lock held. */
export async function afterExit(
  context: Context,
  live: LiveContainer,
  process: RunningProcess | null,
  exit: ExitRecord,
): Promise<void> {
  if (process !== null && live.process !== process) return
  live.process = null
  live.health?.[Symbol.dispose]()
  live.health = null
  const { record } = live
  const isOomKilled =
    (context.host.cgroups.usage(cgroupPathOf(context, record.id, record.spec.resources.cgroupParent))?.oomKills ?? 0) > 0
  const ranMs = Number((exit.exitedAtNs - exit.startedAtNs) / 1_000_000n)
  const setStatus = record.spec.shouldAutoRemove ? context.registry.setPassing : context.registry.setStatus
  setStatus(live, {
    state: 'exited',
    pid: 0,
    exitCode: exit.exitCode,
    isOomKilled,
    finishedAt: formatTimeNs(exit.exitedAtNs),
    isManuallyStopped: live.isStopRequested,
    endpoints: {},
    ports: [],
  })
  if (isOomKilled) publish(context, live.record, 'oom')
  publish(context, live.record, 'die', { exitCode: String(exit.exitCode), execDuration: String(Math.floor(ranMs / 1000)) })
  if (record.spec.shouldAutoRemove && !live.isRemovalRequested) return await removeEnded(context, live)
  await takeDown(context, live.record)
  live.failures = ranMs >= SETTLED_MS ? 0 : live.failures
  await decideNext(context, live)
}

/**
 * `--rm`: whoever waits for the removal is told once name, addresses and ports are free. Mounts, cgroups and files follow, still under the
 * container's lock; should the daemon die now, they are swept at its next start.
 */
async function removeEnded(context: Context, live: LiveContainer): Promise<void> {
  await leaveNetworks(context, live.record)
  dropRecord(context, live)
  // The answers to those who wait go out before the slow work starts.
  await new Promise((resolve) => setImmediate(resolve))
  await takeDown(context, live.record)
  await removeTraces(context, live.record, { removeVolumes: true })
}

/** Gives back what the kernel holds for a container that has ended. Cheap things now; what may wait goes on behind. */
export async function takeDown(context: Context, record: ContainerRecord): Promise<void> {
  await leaveNetworks(context, record)
  context.snapshots.unmountContainer(record.id)
  const dir = runDirOf(context, record.id)
  const cgroup = cgroupPathOf(context, record.id, record.spec.resources.cgroupParent)
  rmSync(runtimeStateOf(context, record.id), { recursive: true, force: true })
  rmSync(dir, { recursive: true, force: true })
  await context.host.cgroups.remove(cgroup)
}

async function decideNext(context: Context, live: LiveContainer): Promise<void> {
  const { record } = live
  if (live.isRemovalRequested) return settleWaiters(live, 'exit')
  const plan = planRestart({
    policy: record.spec.restart,
    exitCode: record.status.exitCode,
    isManuallyStopped: live.isStopRequested,
    failures: live.failures,
    restartCount: record.status.restartCount,
  })
  settleWaiters(live, 'exit')
  if (!plan.restart) {
    context.log.debug('container stays stopped', { container: record.name, why: plan.why })
    return
  }
  scheduleRestart(context, live, plan.afterMs)
}

export function scheduleRestart(context: Context, live: LiveContainer, afterMs: number): void {
  live.failures += 1
  context.registry.setStatus(live, { state: 'restarting' })
  live.restart = context.clock.after(afterMs, () => {
    live.restart = null
    void context.locks.run(live.record.id, async () => await restartNow(context, live))
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
