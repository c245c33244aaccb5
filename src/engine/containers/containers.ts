import { keyedLocks, messageOf } from '#base'
import { readLog } from '#engine/logs'

import { attachContainer } from './attach.ts'
import type { ContainersNeeds, Context } from './context.ts'
import { createContainer, publish } from './create.ts'
import { containerError } from './errors.ts'
import { createExecTable } from './exec-table.ts'
import { createExecs } from './exec.ts'
import { filesOf } from './files.ts'
import { watchExit } from './exit.ts'
import { cancelRestart } from './cancel-restart.ts'
import { connectContainer, disconnectContainer, removeLink } from './connect.ts'
import { holdFiles, type HeldFiles } from './hold-files.ts'
import type { LiveContainer } from './live.ts'
import { hasMemoryFiles, sameTargets, storeMemoryFiles } from './memory-files.ts'
import { readName } from './names.ts'
import { logPathOf } from './paths.ts'
import type { Containers, MemoryFile } from './port.ts'
import type { ContainerRecord } from './record.ts'
import { recoverContainers, startDue } from './recover.ts'
import { createRegistry } from './registry.ts'
import { removeContainer } from './remove.ts'
import { startContainer } from './start.ts'
import { killContainer, stopContainer } from './stop.ts'
import { changesOf, exportOf, sizeOf } from './tree.ts'
import { runTransient, type TransientOutcome, type TransientRun } from './transient.ts'
import { updateContainer } from './update.ts'
import { statsOf, topOf } from './usage.ts'
import { waiter } from './waiter.ts'

export interface ContainersService extends Containers {
  /**
   * Adopts what a former daemon left: running containers go on, ended ones are booked, half-made things are removed. What restart
   * policies want started shows as restarting afterwards.
   */
  recover(): Promise<void>
  /** Starts what the recovery found due; clients may be served meanwhile. Never rejects. */
  startDue(signal: AbortSignal): Promise<void>
  /** Runs a command in a container that nobody sees. */
  runTransient(run: TransientRun): Promise<TransientOutcome>
  /**
   * For work on a container's files: one that does not run is mounted and can neither start nor go until the work is done, so that
   * must end. Errors: `container.not_found`, `container.not_running` when it ends just then.
   */
  holdFiles<T>(ref: string, work: (files: HeldFiles) => Promise<T>): Promise<T>
  /** Somebody asked for that, and it is not over: that it has ended is not the end of it. */
  isBeingRestarted(id: string): boolean
  /** All that it was made with are there. Not so after a restart of the machine. */
  hasMemoryFiles(ref: string): boolean
  /**
   * The files again, or with other contents, for the next start. Errors: `container.running`, `container.memory_file_invalid` when they are not
   * for the targets that it was made with.
   */
  provideMemoryFiles(ref: string, files: readonly MemoryFile[]): Promise<void>
  /**
   * Called when a process has ended, before its container leaves its networks: until `work` is done who connects to it is refused at once, and afterwards waits in vain. Nothing
   * else is done with the container meanwhile, so `work` has to be short. One of them; an error of it is logged.
   */
  beforeLeaving(work: (record: ContainerRecord) => Promise<void>): void
  /** Before the daemon ends for good: every container stops, within its own stop timeout. */
  stopAll(): Promise<void>
}

const STOP_FOR_GOOD = { signal: null, timeoutS: null, isShutdown: true }

export function createContainers(needs: ContainersNeeds): ContainersService {
  let beforeLeaving: ((record: ContainerRecord) => Promise<void>) | undefined
  const context: Context = {
    ...needs,
    registry: createRegistry(needs.records.table<ContainerRecord>('container')),
    locks: keyedLocks(),
    watchExit: (live, process) => watchExit(context, live, process),
    beforeLeaving: async (record) => {
      try {
        await beforeLeaving?.(record)
      } catch (error) {
        needs.log.warn('before a container left its networks', { container: record.name, error: messageOf(error) })
      }
    },
  }
  const { registry, locks } = context
  const execs = createExecTable(context)
  const underLock = async <T>(ref: string, work: (live: LiveContainer) => Promise<T>): Promise<T> => {
    const live = registry.find(ref)
    return await locks.run(live.record.id, async () => {
      // It may have gone while we waited for our turn.
      if (registry.tryFind(live.record.id) !== live) throw containerError('container.not_found', `No such container: ${ref}`)
      return await work(live)
    })
  }

  let isEnding = false
  const restarting = new Set<string>()
  const start: Containers['start'] = async (ref) =>
    await underLock(ref, async (live) => {
      if (live.process !== null) {
        if (live.record.status.state === 'paused')
          throw containerError('container.paused', 'cannot start a paused container, try unpause instead')
        return false
      }
      live.isStopRequested = false
      live.isRemovalRequested = false
      live.failures = 0
      cancelRestart(context, live)
      const { restartCount, isManuallyStopped } = live.record.status
      if (restartCount > 0 || isManuallyStopped) registry.setStatus(live, { restartCount: 0, isManuallyStopped: false })
      await startContainer(context, live)
      return true
    })

  return {
    beforeLeaving: (work) => (beforeLeaving = work),
    create: async (spec, name, memoryFiles) => await createContainer(context, spec, name, memoryFiles),
    hasMemoryFiles: (ref) => hasMemoryFiles(context, registry.find(ref).record),
    provideMemoryFiles: async (ref, files) =>
      await underLock(ref, async (live) => await Promise.resolve(provideMemoryFiles(context, live, files))),
    get: (ref) => registry.find(ref).record,
    files: (ref) => filesOf(context, registry.find(ref).record),
    list: () =>
      registry
        .all()
        .map((live) => live.record)
        .toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)),
    start,
    stop: async (ref, options) => await stopContainer(context, registry.find(ref), options),
    restart: async (ref, options) => {
      const live = registry.find(ref)
      const { id } = live.record
      restarting.add(id)
      try {
        await stopContainer(context, live, options)
        await start(id)
      } finally {
        restarting.delete(id)
      }
      publish(context, live.record, 'restart')
    },
    isBeingRestarted: (id) => restarting.has(id),
    kill: async (ref, signal) => await killContainer(context, registry.find(ref), signal),
    pause: async (ref) => await underLock(ref, async (live) => await pause(context, live)),
    unpause: async (ref) => await underLock(ref, async (live) => await unpause(context, live)),
    remove: async (ref, options) => await removeContainer(context, registry.find(ref), options),
    rename: async (ref, name) => await underLock(ref, async (live) => await Promise.resolve(rename(context, live, name))),
    update: async (ref, change) => await underLock(ref, async (live) => await updateContainer(context, live, change)),
    wait: async (ref, condition, signal) => await Promise.resolve({ done: waiter(registry.find(ref), condition, signal) }),
    attach: async (ref, options) => await attachContainer(context, registry.find(ref), options),
    resize: async (ref, size) => {
      const { process, record } = registry.find(ref)
      if (process === null) throw containerError('container.not_running', `Container ${record.id} is not running`)
      process.resize(size.rows, size.columns)
      publish(context, record, 'resize', { height: String(size.rows), width: String(size.columns) })
      await Promise.resolve()
    },
    logs: (ref, options) => {
      const live = registry.find(ref)
      if (live.record.spec.log.driver === 'none')
        throw containerError('container.log_unreadable', 'configured logging driver does not support reading')
      const isLive = () => live.process !== null || live.record.status.state === 'restarting'
      return readLog({ path: logPathOf(context, live.record.id), isLive }, options, context.clock)
    },
    top: async (ref) => await Promise.resolve(topOf(context, registry.find(ref))),
    stats: async (ref) => await Promise.resolve(statsOf(context, registry.find(ref))),
    size: async (ref) => await sizeOf(context, registry.find(ref).record),
    changes: async (ref) => await changesOf(context, registry.find(ref).record),
    export: async (ref) => await exportOf(context, registry.find(ref).record),
    removeLink: async (ref, alias) =>
      await underLock(ref, async (live) => await Promise.resolve(removeLink(context, live, alias))),
    connect: async (ref, network, endpoint) =>
      await underLock(ref, async (live) => await connectContainer(context, live, network, endpoint)),
    disconnect: async (ref, network) => await underLock(ref, async (live) => await disconnectContainer(context, live, network)),
    exec: createExecs(context, execs),
    holdFiles: async (ref, work) => await holdFiles(context, registry.find(ref), work),
    runTransient: async (run) => await runTransient(context, run),
    recover: async () => await recoverContainers(context, execs),
    startDue: async (signal) => await startDue(context, () => isEnding || signal.aborted),
    stopAll: async () => {
      isEnding = true
      const stops = await Promise.allSettled(
        registry.all().map(async (live) => await stopContainer(context, live, STOP_FOR_GOOD)),
      )
      const failed = stops.find((stop) => stop.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}

async function pause(context: Context, live: LiveContainer): Promise<void> {
  if (live.process === null) throw containerError('container.not_running', `Container ${live.record.id} is not running`)
  if (live.record.status.state === 'paused')
    throw containerError('container.paused', `Container ${live.record.id} is already paused`)
  await context.runtime.pause(live.record.id)
  context.registry.setStatus(live, { state: 'paused' })
  publish(context, live.record, 'pause')
}

async function unpause(context: Context, live: LiveContainer): Promise<void> {
  if (live.record.status.state !== 'paused')
    throw containerError('container.not_paused', `Container ${live.record.id} is not paused`)
  await context.runtime.resume(live.record.id)
  context.registry.setStatus(live, { state: 'running' })
  publish(context, live.record, 'unpause')
}

function provideMemoryFiles(context: Context, { record, process }: LiveContainer, files: readonly MemoryFile[]): void {
  if (process !== null) throw containerError('container.running', `container ${record.name} runs with the files that it has`)
  const known = record.spec.memoryFiles ?? []
  if (!sameTargets(known, files))
    throw containerError(
      'container.memory_file_invalid',
      `container ${record.name} was made with the files ${known.map(({ target }) => target).join(', ') || 'none'} in memory: give these`,
    )
  if (files.length > 0) storeMemoryFiles(context, record.id, record.spec, files)
}

function rename(context: Context, live: LiveContainer, text: string): void {
  const name = readName(text)
  const { record } = live
  if (name === record.name)
    throw containerError('container.name_in_use', 'Renaming a container with the same name as its current name')
  context.registry.reserveName(name, record.id)
  context.registry.replace(live, { ...record, name })
  context.networks.rename(record.id, name)
  publish(context, live.record, 'rename', { oldName: `/${record.name}` })
}
