import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { messageOf } from '#base'
import type { Adopted, ExitRecord } from '#engine/runtime'

import type { Context } from './context.ts'
import { afterExit, scheduleRestart, takeDown } from './exit.ts'
import { startHealth } from './health.ts'
import { newLive, type LiveContainer } from './live.ts'
import { cgroupPathOf, homeOf, runDirOf, runtimeStateOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { removeRecord } from './remove.ts'
import { shouldStartWithDaemon } from './restart-plan.ts'
import { becomeRunning, startContainer } from './start.ts'

/** The exit code of a container whose end nobody saw: a power cut, or somebody killed its shim. */
const UNSEEN_EXIT = 255
const KILLED_EXIT = 137
/** Containers that are looked after at the same time. */
const PARALLEL = 16

/** Brings the records and the kernel together again after the daemon was away, whatever ended it. */
export async function recoverContainers(context: Context): Promise<void> {
  const lives = context.records
    .table<ContainerRecord>('container')
    .entries()
    .map(([, record]) => newLive(record))
  for (const live of lives) context.registry.adopt(live)
  const found = new Map<string, Adopted>()
  await inParallel(
    lives,
    async ({ record }) => void found.set(record.id, await context.runtime.adopt(runDirOf(context, record.id))),
  )
  await context.networks.recover({
    pidOf: (id) => {
      const adopted = found.get(id)
      return adopted?.kind === 'running' ? adopted.process.pid : null
    },
  })
  await inParallel(lives, async (live) => {
    const adopted = found.get(live.record.id)
    if (adopted !== undefined) await context.locks.run(live.record.id, async () => await recoverOne(context, live, adopted))
  })
  await sweep(context)
}

async function recoverOne(context: Context, live: LiveContainer, adopted: Adopted): Promise<void> {
  try {
    if (adopted.kind === 'running') return adoptRunning(context, live, adopted)
    await bookEnd(context, live, adopted)
  } catch (error) {
    context.log.error('recover container', { container: live.record.name, error: messageOf(error) })
  }
}

function adoptRunning(context: Context, live: LiveContainer, { process }: Extract<Adopted, { kind: 'running' }>): void {
  const { status } = live.record
  const isSame = status.pid === process.pid && (status.state === 'running' || status.state === 'paused')
  // Killed between the start and the record of it: the container runs, so it is booked as running.
  if (!isSame) return becomeRunning(context, live, process, {})
  live.process = process
  context.watchExit(live, process)
  startHealth(context, live)
  context.log.info('adopted', { container: live.record.name, pid: process.pid })
}

async function bookEnd(context: Context, live: LiveContainer, adopted: Exclude<Adopted, { kind: 'running' }>): Promise<void> {
  const { status, spec, id } = live.record
  if (adopted.kind === 'lost') await context.host.cgroups.kill(cgroupPathOf(context, id, spec.resources.cgroupParent))
  const wasRunning = status.state === 'running' || status.state === 'paused'
  if (wasRunning || adopted.kind === 'exited') return await afterExit(context, live, null, endOf(context, live, adopted))
  await takeDown(context, live.record)
  if (spec.shouldAutoRemove && status.state !== 'created') return await removeRecord(context, live, { removeVolumes: true })
  if (status.state === 'restarting') return scheduleRestart(context, live, 0)
  if (shouldStartWithDaemon(spec.restart, status)) {
    await startContainer(context, live).catch((error: unknown) =>
      context.log.warn('start with the daemon', { container: live.record.name, error: messageOf(error) }),
    )
  }
}

/** `lost` with a state: the process ran when the daemon went away and its shim is gone. Without one: the machine was restarted. */
function endOf(context: Context, live: LiveContainer, adopted: Exclude<Adopted, { kind: 'running' }>): ExitRecord {
  if (adopted.kind === 'exited') return adopted.record
  const nowNs = context.clock.nowNs()
  const startedAtNs = adopted.state?.startedAtNs ?? nowNs
  const exitCode = adopted.state === undefined ? UNSEEN_EXIT : KILLED_EXIT
  return { pid: live.record.status.pid, exitCode, signal: undefined, startedAtNs, exitedAtNs: nowNs, runtimeError: undefined }
}

/** Directories, cgroups and namespaces of containers that have no record: a removal or a creation that a crash cut short. */
async function sweep(context: Context): Promise<void> {
  for (const id of namesIn(join(context.runDir, 'c'))) {
    if (context.registry.tryFind(id) !== undefined) continue
    await context.host.cgroups.kill(cgroupPathOf(context, id, ''))
    await context.host.cgroups.remove(cgroupPathOf(context, id, ''))
    rmSync(runtimeStateOf(context, id), { recursive: true, force: true })
    rmSync(runDirOf(context, id), { recursive: true, force: true })
  }
  for (const { id } of context.snapshots.containers()) {
    if (context.registry.tryFind(id) === undefined) await context.snapshots.removeContainer(id)
  }
  for (const id of namesIn(join(context.root, 'containers'))) {
    if (context.registry.tryFind(id) === undefined) rmSync(homeOf(context, id), { recursive: true, force: true })
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
