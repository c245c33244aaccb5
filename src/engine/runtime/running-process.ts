import { join } from 'node:path'

import { backoffMs, systemCodeOf, type BackoffPolicy, type Clock } from '#base'

import { connectUnix } from './connect-unix.ts'
import { runtimeError } from './errors.ts'
import { readExitRecord, type ExitRecord, type StartedRecord } from './records.ts'
import { shimConnection, type ShimConnection } from './shim-connection.ts'
import type { Subscription } from './shim-frames.ts'

/** A process that a shim holds: a container's first one, or one of an exec. */
export interface RunningProcess {
  readonly pid: number
  readonly startedAtNs: bigint
  /** Rejects with `runtime.shim_lost` if the shim dies without a record. */
  readonly exited: Promise<ExitRecord>
  /** All output has been read and is in the log. Comes with or after `exited`; rejects with it. */
  readonly outputEnded: Promise<void>
  /** A further connection, for one who attaches. Rejects with `runtime.not_running` when the shim has gone. */
  attach(subscription: Subscription): Promise<ShimConnection>
  signal(signal: number): void
  resize(rows: number, cols: number): void
  /** Tells of lines that the log could not take, mostly because the disk is full: how many more, about once a second while it lasts. */
  onLogLost(listener: (lines: number) => void): void
  /** Stops following: the process runs on, `exited` stays open, and whoever wants to know more adopts it anew. */
  release(): void
}

const SHIM_SOCKET = 'shim.sock'

/** Connects to the shim in `dir`; undefined when there is none any more. */
export async function connectShim(dir: string): Promise<ShimConnection | undefined> {
  try {
    return shimConnection(await connectUnix(join(dir, SHIM_SOCKET)))
  } catch (error) {
    if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ECONNRESET'].includes(systemCodeOf(error) ?? '')) return undefined
    throw error
  }
}

/** Between tries to reach a shim that lives but has no room for one more connection. */
const RECONNECT: BackoffPolicy = { firstMs: 100, maxMs: 5_000 }

/**
 * Follows a started process by its first connection. Should whoever reads the output there pause it, the exit would wait behind
 * the output: so a second connection, without output, is opened at that moment. So it is when the first one is closed.
 */
export function followProcess(dir: string, first: ShimConnection, started: StartedRecord, clock: Clock): RunningProcess {
  const exited = Promise.withResolvers<ExitRecord>()
  const ended = Promise.withResolvers<void>()
  // Whoever asks later gets the rejection; until then nobody does.
  exited.promise.catch(() => undefined)
  ended.promise.catch(() => undefined)
  const open = new Set<ShimConnection>()
  let control = first
  let failures = 0
  let isOver = false
  let hasSecond = false
  let lostLines = 0n
  let tellLost: (lines: number) => void = () => undefined

  const follow = (connection: ShimConnection): void => {
    open.add(connection)
    connection.listen({
      started: () => (failures = 0),
      exited: exited.resolve,
      outputEnded: () => {
        isOver = true
        ended.resolve()
      },
      logLost: (total) => {
        // Each connection tells of all since the start.
        if (total > lostLines) tellLost(Number(total - lostLines))
        lostLines = total > lostLines ? total : lostLines
      },
      paused: () => void reconnect(),
      closed: () => {
        open.delete(connection)
        hasSecond &&= connection === first
        if (open.size === 0 && !isOver) void clock.after(backoffMs(RECONNECT, failures++), () => void reconnect())
      },
    })
  }
  const reconnect = async (): Promise<void> => {
    if (hasSecond || isOver) return
    hasSecond = true
    const next = await connectShim(dir).catch(() => undefined)
    if (next === undefined) {
      hasSecond = false
      if (open.size === 0) await finish()
      return
    }
    control = next
    follow(next)
  }
  const finish = async (): Promise<void> => {
    isOver = true
    const record = await readExitRecord(dir).catch(() => undefined)
    if (record !== undefined) {
      exited.resolve(record)
      return ended.resolve()
    }
    const lost = runtimeError('runtime.shim_lost', `the shim of process ${started.pid} died and left no exit code`)
    exited.reject(lost)
    ended.reject(lost)
  }
  follow(first)
  return {
    pid: started.pid,
    startedAtNs: started.startedAtNs,
    exited: exited.promise,
    outputEnded: ended.promise,
    attach: async (subscription) => {
      const connection = await connectShim(dir)
      if (connection === undefined)
        throw runtimeError('runtime.not_running', `process ${started.pid} has ended: nothing to attach to`)
      connection.subscribe(subscription)
      return connection
    },
    signal: (signal) => control.signal(signal),
    resize: (rows, cols) => control.resize(rows, cols),
    onLogLost: (listener) => {
      tellLost = listener
      if (lostLines > 0n) listener(Number(lostLines))
    },
    release: () => {
      isOver = true
      for (const connection of open) connection.close()
    },
  }
}
