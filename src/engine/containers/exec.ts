import { rmSync } from 'node:fs'

import { during, messageOf, newId, type ExecId } from '#base'
import type { RunningProcess } from '#engine/runtime'

import { createSession, type AttachSession } from './attach-session.ts'
import type { Context } from './context.ts'
import { publish } from './create.ts'
import { parseDetachKeys } from './detach-keys.ts'
import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import { execDirOf } from './paths.ts'
import type { ExecRecord, Execs, ExecSpec } from './port.ts'
import { execProcess } from './runtime-input.ts'

/** Finished execs stay known this long, as many clients ask for the exit code afterwards. */
const KEEP_FINISHED_MS = 5 * 60_000
/** Bound on execs that were created and never started. */
const MAX_EXECS = 10_000

interface LiveExec {
  record: ExecRecord
  process: RunningProcess | null
}

export function createExecs(context: Context): Execs {
  const execs = new Map<string, LiveExec>()

  const find = (id: string): LiveExec => {
    const exec = execs.get(id)
    if (exec === undefined) throw containerError('exec.not_found', `No such exec instance: ${id}`)
    return exec
  }

  const start: Execs['start'] = async (id, options) => {
    const exec = find(id)
    if (exec.record.state !== 'created') throw containerError('exec.started', `exec ${id} has already run`)
    const live = requireRunning(context, exec.record.containerId)
    const { spec } = exec.record
    const session = options.detach
      ? null
      : sessionFor(spec, options.hasTty, () => publish(context, live.record, 'exec_detach', { execID: id }))
    exec.record = { ...exec.record, state: 'running' }
    try {
      exec.process = await launch(
        context,
        live,
        { ...spec, hasTty: options.detach ? spec.hasTty : options.hasTty },
        exec.record.id,
        session,
      )
    } catch (error) {
      session?.close()
      exec.record = { ...exec.record, state: 'exited', exitCode: exitCodeOfFailure(error) }
      throw error
    }
    exec.record = { ...exec.record, pid: exec.process.pid }
    if (options.consoleSize !== null) exec.process.resize(options.consoleSize[0], options.consoleSize[1])
    const finish = (exitCode: number) => {
      exec.record = { ...exec.record, state: 'exited', pid: 0, exitCode }
      exec.process = null
      publish(context, live.record, 'exec_die', { execID: id, exitCode: String(exitCode) })
      context.clock.after(KEEP_FINISHED_MS, () => execs.delete(id))
    }
    exec.process.exited.then(
      (exit) => finish(exit.exitCode),
      (error: unknown) => {
        context.log.warn('an exec was lost', { exec: id, error: messageOf(error) })
        finish(137)
      },
    )
    return session
  }

  return {
    create: async (ref, spec) => {
      const live = requireRunning(context, ref)
      if (spec.cmd.length === 0) throw containerError('container.no_command', 'No exec command specified')
      if (execs.size >= MAX_EXECS)
        throw containerError('exec.started', `more than ${MAX_EXECS} execs are known; start or forget some first`)
      const id = newId<ExecId>(context.random)
      execs.set(id, {
        record: { id, containerId: live.record.id, spec, state: 'created', pid: 0, exitCode: null },
        process: null,
      })
      publish(context, live.record, `exec_create: ${spec.cmd.join(' ')}`, { execID: id })
      return await Promise.resolve(id)
    },
    get: (id) => find(id).record,
    list: (ref) => {
      const { id } = context.registry.find(ref).record
      return [...execs.values()].map(({ record }) => record).filter((one) => one.containerId === id && one.state !== 'exited')
    },
    start,
    resize: async (id, size) => {
      const { process } = find(id)
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

/** Runs a process beside the container's own. Its directory goes when it has ended. */
export async function launch(
  context: Context,
  live: LiveContainer,
  spec: ExecSpec,
  id: ExecId,
  session: AttachSession | null,
): Promise<RunningProcess> {
  const dir = execDirOf(context, live.record.id, id)
  const forget = () => rmSync(dir, { recursive: true, force: true })
  try {
    const wanted = execProcess(context, live, spec)
    publish(context, live.record, `exec_start: ${spec.cmd.join(' ')}`, { execID: id })
    const process = await context.runtime.exec({
      id: live.record.id,
      dir,
      process: wanted,
      isTty: spec.hasTty,
      hasStdin: spec.attachStdin,
      ...(session === null ? {} : { subscription: { stdout: spec.attachStdout, stderr: spec.attachStderr } }),
      onConnected: (connection) => session?.bind(connection),
    })
    void process.exited.then(forget, forget)
    return process
  } catch (error) {
    forget()
    throw explain(during(`exec in container ${live.record.name}`, error), spec)
  }
}

function explain(error: ReturnType<typeof during>, spec: ExecSpec): ReturnType<typeof during> {
  if (error.code !== 'runtime.start_failed') return error
  const command = spec.cmd[0] ?? ''
  if (/permission denied/i.test(error.message))
    return containerError(
      'container.command_not_executable',
      `OCI runtime exec failed: exec: "${command}": permission denied: ${error.message}`,
      { cause: error },
    )
  if (/not found|No such file/i.test(error.message))
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
