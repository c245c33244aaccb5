import { messageOf } from '#base'
import type { PreparedExec, RunningProcess } from '#engine/runtime'

import type { Context } from './context.ts'
import { publish } from './create.ts'
import { containerError } from './errors.ts'
import { markExecTold, removeExecDir } from './exec-records.ts'
import { endLost } from './lost-exec.ts'
import { execDirOf } from './paths.ts'
import type { ExecRecord } from './port.ts'

/** Finished execs stay known this long, as many clients ask for the exit code afterwards. */
const KEEP_FINISHED_MS = 5 * 60_000
/** As many of them as are kept, each with a few small files: a script that does nothing but exec makes fifty a second. */
const MAX_FINISHED = 1_000
/** Bound on execs that were created and never started, or run. */
const MAX_EXECS = 10_000
/** 128 + SIGKILL: what is told of one whose end nobody saw. */
export const UNSEEN_EXEC_EXIT = 137

export interface LiveExec {
  /** Replaced whole, never changed in place. */
  record: ExecRecord
  process: RunningProcess | null
  /** Between its creation and its start, for a while. */
  prepared: PreparedExec | null
}

/** The execs of this machine, those of former daemons among them. */
export interface ExecTable {
  /** Error: `exec.too_many`. */
  add(record: ExecRecord): LiveExec
  /** Error: `exec.not_found`. */
  find(id: string): LiveExec
  all(): readonly ExecRecord[]
  /** How many processes wait for their start. */
  prepared(): number
  /** It runs: its end will be booked and told of. */
  follow(exec: LiveExec, process: RunningProcess): void
  /** It has ended, or could not be started; `isTold` false tells the clients who listen for events. */
  end(exec: LiveExec, exitCode: number, isTold: boolean): void
}

export function createExecTable(context: Context): ExecTable {
  const execs = new Map<string, LiveExec>()
  const finished = new Set<LiveExec>()

  const forget = (exec: LiveExec) => {
    if (!finished.delete(exec)) return
    execs.delete(exec.record.id)
    removeExecDir(context, exec.record.containerId, exec.record.id)
  }
  const end: ExecTable['end'] = (exec, exitCode, isTold) => {
    exec.record = { ...exec.record, state: 'exited', exitCode }
    exec.process = null
    finished.add(exec)
    const container = context.registry.tryFind(exec.record.containerId)
    if (!isTold && container !== undefined)
      publish(context, container.record, 'exec_die', { execID: exec.record.id, exitCode: String(exitCode) })
    markExecTold(context, exec.record)
    context.clock.after(KEEP_FINISHED_MS, () => forget(exec))
    const [oldest] = finished
    if (finished.size > MAX_FINISHED && oldest !== undefined) forget(oldest)
  }
  return {
    add: (record) => {
      if (execs.size - finished.size >= MAX_EXECS)
        throw containerError('exec.too_many', `more than ${MAX_EXECS} execs wait or run`, {
          hint: 'Start those that were created.',
        })
      const exec: LiveExec = { record, process: null, prepared: null }
      execs.set(record.id, exec)
      return exec
    },
    find: (id) => {
      const exec = execs.get(id)
      if (exec === undefined) throw containerError('exec.not_found', `No such exec instance: ${id}`)
      return exec
    },
    all: () => [...execs.values()].map(({ record }) => record),
    prepared: () => [...execs.values()].filter((exec) => exec.prepared?.isReady === true).length,
    follow: (exec, process) => {
      exec.process = process
      exec.record = { ...exec.record, state: 'running', pid: process.pid }
      process.exited.then(
        ({ exitCode }) => end(exec, exitCode, false),
        (error: unknown) => {
          context.log.warn('the shim of an exec is gone', { exec: exec.record.id, error: messageOf(error) })
          void endLost(context, execDirOf(context, exec.record.containerId, exec.record.id))
          end(exec, UNSEEN_EXEC_EXIT, false)
        },
      )
    },
    end,
  }
}
