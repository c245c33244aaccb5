import { during, messageOf, shortId, type GloveboxError } from '#base'
import { formatTimeNs } from '#engine/logs'
import type { RunningProcess, ShimConnection } from '#engine/runtime'

import type { Context } from './context.ts'
import { commandOf, publish } from './create.ts'
import { containerError } from './errors.ts'
import { startHealth } from './health.ts'
import { UNKNOWN_HEALTH } from './health-plan.ts'
import type { LiveContainer } from './live.ts'
import { logOf } from './log-file.ts'
import type { JoinedNetwork } from './networking.ts'
import { prepare } from './prepare.ts'
import { SIGKILL } from './stop.ts'
import { removeRecord } from './remove.ts'
import type { ContainerStatus } from './record.ts'

/**
 * From a stopped record to a running process: root file system, network, specification, shim. Each step registers its undoing,
 * so that a failure leaves nothing but the reason in the record. Call with the container's lock held.
 */
export async function startContainer(context: Context, live: LiveContainer): Promise<void> {
  try {
    await using undo = new AsyncDisposableStack()
    const { process, network } = await bringUp(context, live, undo)
    undo.move()
    becomeRunning(context, live, process, { endpoints: network.endpoints, ports: network.ports })
  } catch (error) {
    const failure = recordFailure(context, live, error)
    if (live.record.spec.shouldAutoRemove && context.registry.tryFind(live.record.id) === live)
      await removeRecord(context, live, { removeVolumes: true })
    throw failure
  }
}

interface Started {
  readonly process: RunningProcess
  readonly network: JoinedNetwork
}

async function bringUp(context: Context, live: LiveContainer, undo: AsyncDisposableStack): Promise<Started> {
  const { record } = live
  const layers = context.images.get(record.spec.imageId).layers.map((layer) => layer.diffId)
  const { dir, network, spec, scaffold } = await prepare(context, record, layers, undo)
  const process = await context.runtime.start({
    id: record.id,
    dir,
    bundle: dir,
    spec,
    isTty: record.spec.process.hasTty,
    hasStdin: record.spec.process.hasStdin,
    ...logOf(context, record),
    ...(live.waitingSessions.size === 0 ? {} : { subscription: { stdout: true, stderr: true } }),
    onConnected: (connection) => bindWaiting(live, connection),
  })
  await scaffold[Symbol.asyncDispose]()
  return { process, network }
}

/** Sessions that were there before the process share the shim's first connection: no byte is written before they are wired. */
function bindWaiting(live: LiveContainer, connection: ShimConnection): void {
  for (const session of live.waitingSessions) session.bind(connection)
  live.waitingSessions.clear()
}

export function becomeRunning(
  context: Context,
  live: LiveContainer,
  process: RunningProcess,
  network: Partial<Pick<ContainerStatus, 'endpoints' | 'ports'>>,
): void {
  const { spec } = live.record
  live.process = process
  live.isStopRequested = false
  // First of all: whatever happens next, its end is noticed.
  context.watchExit(live, process)
  try {
    context.registry.setStatus(live, {
      ...network,
      state: 'running',
      pid: process.pid,
      exitCode: 0,
      error: '',
      isOomKilled: false,
      startedAt: formatTimeNs(process.startedAtNs),
      health: spec.health === null ? null : UNKNOWN_HEALTH,
    })
  } catch (error) {
    // A container that runs without a record of it would be nobody's.
    process.signal(SIGKILL)
    throw error
  }
  publish(context, live.record, 'start')
  startHealth(context, live)
}

/** What clients expect of a command that is not there or cannot be run: exit codes 127 and 126. */
function recordFailure(context: Context, live: LiveContainer, cause: unknown): GloveboxError {
  const error = explainStart(
    during(`start container ${live.record.name === '' ? shortId(live.record.id) : live.record.name}`, cause),
    commandOf(live.record.spec)[0] ?? '',
  )
  const exitCode =
    error.code === 'container.command_not_found' ? 127 : error.code === 'container.command_not_executable' ? 126 : 128
  for (const session of live.waitingSessions) session.end()
  live.waitingSessions.clear()
  if (context.registry.tryFind(live.record.id) !== undefined) {
    const state = live.record.status.startedAt === '' ? 'created' : 'exited'
    try {
      context.registry.setStatus(live, { state, pid: 0, exitCode, error: error.message, endpoints: {}, ports: [] })
    } catch (second) {
      context.log.error('record a failed start', { container: live.record.name, error: messageOf(second) })
    }
  }
  return error
}

function explainStart(error: GloveboxError, command: string): GloveboxError {
  const text = error.message
  const options = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) }
  if (error.code !== 'runtime.start_failed') return error
  if (/executable file .* not found|open executable: No such file|cannot find.*executable/i.test(text)) {
    return containerError(
      'container.command_not_found',
      `exec: "${command}": executable file not found in $PATH: ${text}`,
      options,
    )
  }
  if (/executable|exec/i.test(text) && /permission denied/i.test(text)) {
    return containerError('container.command_not_executable', `exec: "${command}": permission denied: ${text}`, options)
  }
  if (/exec.*: No such file or directory/i.test(text)) {
    return containerError('container.command_not_found', `exec: "${command}": no such file or directory: ${text}`, options)
  }
  return error
}
