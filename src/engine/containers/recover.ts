import { messageOf } from '#base'
import { formatTimeNs } from '#engine/logs'
import type { Adopted, ExitRecord } from '#engine/runtime'

import type { Context } from './context.ts'
import { adoptExecs } from './adopt-execs.ts'
import type { ExecTable } from './exec-table.ts'
import { afterExit, scheduleRestart, takeDown } from './exit.ts'
import { startHealth } from './health.ts'
import { newLive, type LiveContainer } from './live.ts'
import { matchEndpoints } from './match-endpoints.ts'
import { endpointStatus } from './networking.ts'
import { cgroupPathOf, instanceCgroup, runDirOf } from './paths.ts'
import type { ContainerRecord } from './record.ts'
import { removeRecord } from './remove.ts'
import { shouldStartWithDaemon } from './restart-plan.ts'
import { becomeRunning, startContainer } from './start.ts'
import { sweepStrangers } from './sweep.ts'

/** The exit code of a container whose end nobody saw: a power cut, or somebody killed its shim. */
const UNSEEN_EXIT = 255
const KILLED_EXIT = 137
/** Containers that are looked after at the same time. */
const PARALLEL = 16

/** Brings the records and the kernel together again after the daemon was away, whatever ended it. */
export async function recoverContainers(context: Context, execs: ExecTable): Promise<void> {
  makeInstanceCgroup(context)
  const lives = context.records
    .table<ContainerRecord>('container')
    .entries()
    .map(([, record]) => newLive(record))
  for (const live of lives) context.registry.adopt(live)
  const found = new Map<string, Adopted>()
  await inParallel(lives, async ({ record }) => void found.set(record.id, await adopt(context, record)))
  await context.networks.recover({
    pidOf: (id) => {
      const adopted = found.get(id)
      return adopted?.kind === 'running' ? adopted.process.pid : null
    },
  })
  await inParallel(lives, async (live) => {
    const adopted = found.get(live.record.id)
    // Before the directory of one that has ended is taken away.
    await adoptExecs(context, execs, live.record.id)
    if (adopted !== undefined) await context.locks.run(live.record.id, async () => await recoverOne(context, live, adopted))
  })
  await sweepStrangers(context)
  markDue(context)
}

/** One whose traces cannot be read keeps neither the others nor the daemon. */
async function adopt(context: Context, record: ContainerRecord): Promise<Adopted> {
  try {
    return await context.runtime.adopt(runDirOf(context, record.id))
  } catch (error) {
    context.log.error('look for the process of a container', { container: record.name, error: messageOf(error) })
    return { kind: 'lost', state: undefined }
  }
}

/**
 * What the restart policies want started. Each shows as restarting from here on, so that a client that stops, starts or removes one
 * before its turn comes has its way. In memory only: the next daemon finds out for itself.
 */
function markDue(context: Context): void {
  for (const live of context.registry.all()) {
    const { spec, status } = live.record
    if (live.process !== null || live.restart !== null || !shouldStartWithDaemon(spec.restart, status)) continue
    live.isDue = true
    live.restart = { [Symbol.dispose]: () => void (live.isDue = false) }
    context.registry.setPassing(live, { state: 'restarting' })
  }
}

/** Starts what is due, with the API answering already. Those that share a namespace of another one come after it. */
export async function startDue(context: Context, isOver: () => boolean): Promise<void> {
  const due = context.registry.all().filter(({ isDue }) => isDue)
  const isSharing = ({ record: { spec } }: LiveContainer) => {
    const { network, namespaces } = spec
    return [network.mode, namespaces.pid, namespaces.ipc].some((mode) => mode.startsWith('container:'))
  }
  for (const group of [due.filter((live) => !isSharing(live)), due.filter(isSharing)])
    await inParallel(group, async (live) => {
      await context.locks.run(live.record.id, async () => {
        // A client may have been quicker.
        if (isOver() || !live.isDue || context.registry.tryFind(live.record.id) !== live) return
        live.isDue = false
        live.restart = null
        try {
          await startContainer(context, live)
        } catch (error) {
          context.log.warn('start with the daemon', { container: live.record.name, error: messageOf(error) })
        }
      })
    })
}

/** At every start of the daemon, for a restart of the machine took it: the OCI runtime makes its groups in this one. */
function makeInstanceCgroup(context: Context): void {
  try {
    context.host.cgroups.createParent(instanceCgroup(context))
  } catch (error) {
    // Images can be built and looked at without; the start of a container tells what it lacks.
    context.log.warn('make the cgroup of this instance', { error: messageOf(error) })
  }
}

async function recoverOne(context: Context, live: LiveContainer, adopted: Adopted): Promise<void> {
  try {
    if (adopted.kind === 'running') {
      adoptRunning(context, live, adopted)
      return await matchEndpoints(context, live)
    }
    await bookEnd(context, live, adopted)
  } catch (error) {
    context.log.error('recover container', { container: live.record.name, error: messageOf(error) })
  }
}

function adoptRunning(context: Context, live: LiveContainer, { process }: Extract<Adopted, { kind: 'running' }>): void {
  const { status } = live.record
  const isSame = status.pid === process.pid && (status.state === 'running' || status.state === 'paused')
  // Killed between the start and the record of it: the container runs, so it is booked as running.
  if (!isSame) becomeRunning(context, live, process, networkOf(context, live.record))
  const state = isFrozen(context, live.record) ? 'paused' : 'running'
  if (live.record.status.state !== state) context.registry.setStatus(live, { state })
  if (!isSame) return
  live.process = process
  context.watchExit(live, process)
  startHealth(context, live)
  context.log.info('adopted', { container: live.record.name, pid: process.pid })
}

/** What the start had been given when the daemon was killed before it could write it down. */
function networkOf({ networks }: Context, { id }: ContainerRecord) {
  const endpoints = networks.endpointsOf(id).map((endpoint) => [endpoint.networkName, endpointStatus(endpoint)] as const)
  return { endpoints: Object.fromEntries(endpoints), ports: networks.publishedPorts(id) }
}

/** The kernel knows better than a record that was written after it. */
function isFrozen({ host, ...places }: Context, { id, spec }: ContainerRecord): boolean {
  return host.cgroups.freezeState(cgroupPathOf(places, id, spec.resources.cgroupParent)) !== 'thawed'
}

async function bookEnd(context: Context, live: LiveContainer, adopted: Exclude<Adopted, { kind: 'running' }>): Promise<void> {
  const { status, spec, id } = live.record
  if (adopted.kind === 'lost') await context.host.cgroups.kill(cgroupPathOf(context, id, spec.resources.cgroupParent))
  const wasRunning = status.state === 'running' || status.state === 'paused'
  if (wasRunning || adopted.kind === 'exited') {
    const end = endOf(context, live, adopted)
    const isUnbooked = adopted.kind === 'exited' && !wasRunning && status.finishedAt !== formatTimeNs(end.exitedAtNs)
    // Killed between the start and the record of it, and ended since.
    if (isUnbooked) context.registry.setStatus(live, { startedAt: formatTimeNs(end.startedAtNs) })
    return await afterExit(context, live, end)
  }
  await takeDown(context, live.record)
  if (spec.shouldAutoRemove && status.state !== 'created') return await removeRecord(context, live, { removeVolumes: true })
  if (status.state === 'restarting') scheduleRestart(context, live, 0)
}

/** `lost` with a state: the process ran when the daemon went away and its shim is gone. Without one: the machine was restarted. */
function endOf(context: Context, live: LiveContainer, adopted: Exclude<Adopted, { kind: 'running' }>): ExitRecord {
  if (adopted.kind === 'exited') return adopted.record
  const nowNs = context.clock.nowNs()
  const startedAtNs = adopted.state?.startedAtNs ?? nowNs
  const exitCode = adopted.state === undefined ? UNSEEN_EXIT : KILLED_EXIT
  return { pid: live.record.status.pid, exitCode, signal: undefined, startedAtNs, exitedAtNs: nowNs, runtimeError: undefined }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
