import { messageOf } from '#base'
import type { RunningProcess } from '#engine/runtime'

import type { Context } from './context.ts'
import { publish } from './create.ts'
import { containerError } from './errors.ts'
import { cancelRestart } from './cancel-restart.ts'
import type { LiveContainer } from './live.ts'
import { cgroupPathOf } from './paths.ts'
import { signalNumber } from './signals.ts'

export const SIGKILL = 9
/** After SIGKILL only the kernel's own work is left; longer than this it is stuck. */
const KILL_TIMEOUT_MS = 10_000

export interface StopOptions {
  readonly signal: string | null
  readonly timeoutS: number | null
  /** The daemon ends for good, which is no wish of the user's about this container: the next daemon starts it as its policy says. */
  readonly isShutdown?: boolean
}

/** False: it was not running. Does not hold the lock while it waits, so that `kill` and `inspect` go on. */
export async function stopContainer(context: Context, live: LiveContainer, options: StopOptions): Promise<boolean> {
  if (live.process === null) {
    const wasDue = live.record.status.state === 'restarting'
    // A start that is under way ends first: then there is something to stop.
    await context.locks.run(live.record.id, async () => await Promise.resolve(callOff(context, live, options)))
    if (live.process === null) return wasDue
  }
  const { process } = live
  const { spec } = live.record
  const timeoutS = options.timeoutS ?? spec.stopTimeoutS
  if (options.isShutdown === true) live.isStopRequested = true
  else markStopped(context, live)
  if (live.record.status.state === 'paused') await unpauseToStop(context, live)
  const signal = signalNumber(options.signal ?? spec.stopSignal)
  publish(context, live.record, 'kill', { signal: String(signal) })
  process.signal(signal)
  if (!(await waitForExit(context, process, timeoutS < 0 ? null : timeoutS * 1000))) {
    publish(context, live.record, 'kill', { signal: String(SIGKILL) })
    process.signal(SIGKILL)
    if (!(await waitForExit(context, process, KILL_TIMEOUT_MS))) {
      throw containerError('container.running', `container ${live.record.name} (pid ${process.pid}) does not end after SIGKILL`)
    }
  }
  // The exit is booked under the lock: whoever gets it next sees the container stopped.
  await context.locks.run(live.record.id, async () => await Promise.resolve())
  publish(context, live.record, 'stop')
  return true
}

function callOff(context: Context, live: LiveContainer, { isShutdown = false }: StopOptions): void {
  if (live.process !== null) return
  if (isShutdown) live.restart?.[Symbol.dispose]()
  else cancelRestart(context, live)
}

/** Written before the signal goes out: whoever finds the container ended later must know that this was wanted. */
function markStopped(context: Context, live: LiveContainer): void {
  live.isStopRequested = true
  const { record } = live
  if (record.status.isManuallyStopped) return
  const status = { ...record.status, isManuallyStopped: true }
  try {
    // Where a policy asks for it after a power cut, it has to be on the disk.
    if (record.spec.restart.name === 'no') context.registry.setStatus(live, status)
    else context.registry.replace(live, { ...record, status })
  } catch (error) {
    // A full disk is no reason to let it run on: ending a container may be what makes room.
    context.log.warn('record that a container was stopped by hand', { container: record.name, error: messageOf(error) })
  }
}

async function unpauseToStop(context: Context, live: LiveContainer): Promise<void> {
  await context.locks.run(live.record.id, async () => {
    if (live.record.status.state !== 'paused') return
    // Not through the OCI runtime: on cgroup v2 a SIGKILL ends frozen processes at once, and it refuses to resume what has ended.
    await context.host.cgroups.setFrozen(cgroupPathOf(context, live.record.id, live.record.spec.resources.cgroupParent), false)
    context.registry.setStatus(live, { state: 'running' })
  })
}

export async function killContainer(context: Context, live: LiveContainer, signalText: string): Promise<void> {
  const signal = signalNumber(signalText === '' ? 'KILL' : signalText)
  const { process } = live
  if (process === null)
    throw containerError(
      'container.not_running',
      `Cannot kill container: ${live.record.name}: Container ${live.record.id} is not running`,
    )
  // A signal that ends it by the user's will is not a crash to restart from.
  if (signal === SIGKILL || signal === signalNumber(live.record.spec.stopSignal)) markStopped(context, live)
  publish(context, live.record, 'kill', { signal: String(signal) })
  process.signal(signal)
  if (signal !== SIGKILL) return
  if (live.record.status.state === 'paused') await unpauseToStop(context, live)
  // Clients take the answer to a SIGKILL for the end itself.
  if (await waitForExit(context, process, KILL_TIMEOUT_MS))
    await context.locks.run(live.record.id, async () => await Promise.resolve())
}

/** False when it has not ended in time; null waits for ever. */
export async function waitForExit(context: Context, process: RunningProcess, timeoutMs: number | null): Promise<boolean> {
  const ended = process.exited.then(() => true)
  if (timeoutMs === null) return await ended
  const { promise, resolve } = Promise.withResolvers<boolean>()
  using _limit = context.clock.after(timeoutMs, () => resolve(false))
  return await Promise.race([ended, promise])
}
