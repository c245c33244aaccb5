import { during, newId, type ExecId } from '#base'
import type { ExecStart, PreparedExec, RunningProcess } from '#engine/runtime'

import { createSession, type AttachSession } from './attach-session.ts'
import type { Context } from './context.ts'
import { publish } from './create.ts'
import { parseDetachKeys } from './detach-keys.ts'
import { containerError } from './errors.ts'
import { removeExecDir, writeExecRecord } from './exec-records.ts'
import type { ExecTable, LiveExec } from './exec-table.ts'
import type { LiveContainer } from './live.ts'
import { execDirOf } from './paths.ts'
import type { Execs, ExecSpec } from './port.ts'
import { execProcess } from './runtime-input.ts'

export function createExecs(context: Context, table: ExecTable): Execs {
  const start: Execs['start'] = async (id, options) => {
    const exec = table.find(id)
    if (exec.record.state !== 'created')
      throw containerError(
        'exec.started',
        `Error: Exec command ${id} ${exec.record.state === 'exited' ? 'has already run' : 'is already running'}`,
      )
    const live = requireRunning(context, exec.record.containerId)
    const spec = { ...exec.record.spec, hasTty: options.detach ? exec.record.spec.hasTty : options.hasTty }
    const onDetach = () => publish(context, live.record, 'exec_detach', { execID: id })
    const session = options.detach ? null : sessionFor(spec, spec.hasTty, onDetach)
    const prepared = takePrepared(context, exec, spec)
    exec.record = { ...exec.record, state: 'running' }
    try {
      if (prepared === null) writeExecRecord(context, exec.record)
      const consoleSize = options.consoleSize ?? spec.consoleSize ?? null
      table.follow(exec, await launch(context, live, spec, exec.record.id, session, { consoleSize, prepared }))
    } catch (error) {
      session?.close()
      removeExecDir(context, live.record.id, id)
      table.end(exec, exitCodeOfFailure(error), false)
      throw error
    }
    return session
  }

  return {
    create: async (ref, spec) => {
      const live = requireRunning(context, ref)
      if (spec.cmd.length === 0) throw containerError('container.no_command', 'No exec command specified')
      parseDetachKeys(spec.detachKeys)
      const id = newId<ExecId>(context.random)
      const exec = table.add({ id, containerId: live.record.id, spec, state: 'created', pid: 0, exitCode: null })
      publish(context, live.record, `exec_create: ${spec.cmd.join(' ')}`, { execID: id })
      // While the answer is on its way and the client makes up its next request.
      setImmediate(() => prepareSoon(context, table, exec))
      return await Promise.resolve(id)
    },
    get: (id) => table.find(id).record,
    list: (ref) => {
      const { id } = context.registry.find(ref).record
      return table.all().filter((one) => one.containerId === id && one.state !== 'exited')
    },
    start,
    resize: async (id, size) => {
      const { process } = table.find(id)
      if (process === null) throw containerError('container.not_running', `exec ${id} is not running`)
      process.resize(size.rows, size.columns)
      await Promise.resolve()
    },
  }
}

function requireRunning(context: Context, ref: string): LiveContainer {
  const live = context.registry.find(ref)
  const { status } = live.record
  if (status.state === 'paused')
    throw containerError('container.paused', `Container ${live.record.id} is paused, unpause the container before exec`)
  if (status.state === 'restarting')
    throw containerError('container.restarting', `Container ${live.record.id} is restarting, wait until the container is running`)
  if (live.process === null) throw containerError('container.not_running', `Container ${live.record.id} is not running`)
  return live
}

function sessionFor(spec: ExecSpec, hasTty: boolean, onDetach: () => void): AttachSession {
  return createSession({
    hasStdin: spec.attachStdin,
    wantsStdout: spec.attachStdout,
    wantsStderr: spec.attachStderr,
    hasTty,
    closesStdin: true,
    detachKeys: hasTty ? parseDetachKeys(spec.detachKeys) : null,
    onClose: () => undefined,
    onDetach,
  })
}

interface LaunchOptions {
  readonly consoleSize: readonly [rows: number, columns: number] | null
  readonly prepared: PreparedExec | null
}

/** Runs a process beside the container's own. Its directory stays until `removeExecDir`. */
export async function launch(
  context: Context,
  live: LiveContainer,
  spec: ExecSpec,
  id: ExecId,
  session: AttachSession | null,
  { consoleSize, prepared }: LaunchOptions = { consoleSize: null, prepared: null },
): Promise<RunningProcess> {
  try {
    publish(context, live.record, `exec_start: ${spec.cmd.join(' ')}`, { execID: id })
    return await context.runtime.exec({
      ...processOf(context, live, spec, id, consoleSize),
      ...(session === null ? {} : { subscription: { stdout: spec.attachStdout, stderr: spec.attachStderr } }),
      onConnected: (connection) => {
        // One that was prepared has its terminal already.
        if (consoleSize !== null) connection.resize(consoleSize[0], consoleSize[1])
        session?.bind(connection)
      },
      ...(prepared === null ? {} : { prepared }),
    })
  } catch (error) {
    throw explain(during(`exec in container ${live.record.name}`, error), spec)
  }
}

function processOf(
  context: Context,
  live: LiveContainer,
  spec: ExecSpec,
  id: ExecId,
  consoleSize: LaunchOptions['consoleSize'] = spec.consoleSize ?? null,
): Omit<ExecStart, 'prepared' | 'subscription' | 'onConnected'> {
  return {
    id: live.record.id,
    dir: execDirOf(context, live.record.id, id),
    process: () => {
      const process = execProcess(context, live, spec)
      return consoleSize === null ? process : { ...process, consoleSize: { height: consoleSize[0], width: consoleSize[1] } }
    },
    isTty: spec.hasTty,
    hasStdin: spec.attachStdin,
  }
}

/** Clients start what they create within milliseconds. Until then a process stands in the container, so not for long, and not for many. */
const PREPARED_FOR_MS = 5_000
const MAX_PREPARED = 16

function prepareSoon(context: Context, table: ExecTable, exec: LiveExec): void {
  const { record } = exec
  const live = context.registry.tryFind(record.containerId)
  if (record.state !== 'created' || live?.record.status.state !== 'running' || table.prepared() >= MAX_PREPARED) return
  // Written while the process is being made, and not at the start, which has a client waiting.
  const onAsked = () => writeExecRecord(context, record)
  const prepared = context.runtime.prepare(processOf(context, live, record.spec, record.id), onAsked)
  exec.prepared = prepared
  context.clock.after(PREPARED_FOR_MS, () => {
    if (exec.prepared === prepared) dropPrepared(context, exec)
  })
}

/** The one that is ready for what is wanted now. */
function takePrepared(context: Context, exec: LiveExec, spec: ExecSpec): PreparedExec | null {
  const { prepared } = exec
  if (prepared?.isReady === true && spec.hasTty === exec.record.spec.hasTty) {
    exec.prepared = null
    return prepared
  }
  dropPrepared(context, exec)
  return null
}

/** Its directory goes as well: a shim that leaves takes its socket along, which must not be the one of its successor. */
function dropPrepared(context: Context, exec: LiveExec): void {
  if (exec.prepared === null) return
  exec.prepared.close()
  exec.prepared = null
  removeExecDir(context, exec.record.containerId, exec.record.id)
}

function explain(error: ReturnType<typeof during>, spec: ExecSpec): ReturnType<typeof during> {
  if (error.code !== 'runtime.start_failed') return error
  const command = spec.cmd[0] ?? ''
  if (/execute `.*permission denied/i.test(error.message))
    return containerError(
      'container.command_not_executable',
      `OCI runtime exec failed: exec: "${command}": permission denied: ${error.message}`,
      { cause: error },
    )
  if (/executable file .* not found|execute `.*No such file/i.test(error.message))
    return containerError(
      'container.command_not_found',
      `OCI runtime exec failed: exec: "${command}": executable file not found in $PATH: ${error.message}`,
      { cause: error },
    )
  return error
}

function exitCodeOfFailure(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'container.command_not_found' ? 127 : 126
}
