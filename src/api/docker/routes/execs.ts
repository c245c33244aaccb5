import { Readable } from 'node:stream'

import { invariant, messageOf } from '#base'
import { parseDetachKeys, type AttachStream } from '#engine/containers'
import { parseJsonObject, readJson, sendEmpty, sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { hijackable } from '../hijack.ts'
import { framed } from '../stream-frame.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { consoleSize } from '../translate/process.ts'
import { readerOf } from '../translate/read.ts'
import { sizeOf } from './containers-life.ts'
import { idOf } from './ids.ts'

export const EXEC_BODY: FieldTable = {
  fields: {
    AttachStdin: 'taken',
    AttachStdout: 'taken',
    AttachStderr: 'taken',
    DetachKeys: 'taken',
    Tty: 'taken',
    Env: 'taken',
    Cmd: 'taken',
    Privileged: 'taken',
    User: 'taken',
    WorkingDir: 'taken',
    ConsoleSize: 'taken',
    // The old CLI sends what it will do next.
    Detach: 'reported',
  },
}

// dockerode tells its own transport by the last two how to speak, and sends them along.
export const EXEC_START_BODY: FieldTable = {
  fields: { Detach: 'taken', Tty: 'taken', ConsoleSize: 'taken', hijack: 'reported', stdin: 'reported' },
}

/** POST /containers/{id}/exec. */
export async function createExec(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, EXEC_BODY)
  const body = readerOf(json)
  const cmd = body.texts('Cmd', [])
  if (cmd.length === 0) throw dockerError('docker.field_invalid', 'No exec command specified')
  const size = consoleSize(body.raw('ConsoleSize'), 'ConsoleSize')
  const id = await engine.containers.exec.create(idOf(call), {
    cmd,
    env: body.texts('Env', []),
    workingDir: body.text('WorkingDir'),
    user: body.text('User'),
    hasTty: body.bool('Tty'),
    isPrivileged: body.bool('Privileged'),
    attachStdin: body.bool('AttachStdin'),
    attachStdout: body.bool('AttachStdout'),
    attachStderr: body.bool('AttachStderr'),
    detachKeys: body.text('DetachKeys'),
    ...(size === null ? {} : { consoleSize: size }),
  })
  sendJson(call.response, 201, { Id: id })
}

/** POST /exec/{id}/start. */
export async function startExec(call: Call, { engine, clock }: RouteContext): Promise<void> {
  const connection = hijackable(call)
  const json = parseJsonObject(await connection.readBody())
  refuseOtherFields(json, EXEC_START_BODY)
  const body = readerOf(json)
  const options = {
    detach: body.bool('Detach'),
    hasTty: body.bool('Tty'),
    consoleSize: consoleSize(body.raw('ConsoleSize'), 'ConsoleSize'),
  }
  const { exec } = engine.containers
  const id = exec.get(idOf(call)).id
  if (options.detach) {
    await exec.start(id, options)
    return sendEmpty(call.response, 200)
  }
  // The head goes before the process starts: old SDKs lose output that comes in one packet with it.
  const taken = await connection.takeOver(options.hasTty)
  // Whoever asked for the streams is told in them, for it is too late for a status.
  const stream = await exec.start(id, options).catch((error: unknown) => lastWords(error, options.hasTty))
  invariant(stream !== null, 'an exec that is not detached has streams')
  if (taken === undefined) stream.close()
  else await taken.join(stream, clock)
}

function lastWords(error: unknown, isRaw: boolean): AttachStream {
  const words = Buffer.from(`${messageOf(error)}\r\n`)
  return { isRaw, output: Readable.from([isRaw ? words : framed('stdout', words)]), input: null, close: () => undefined }
}

export async function resizeExec(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.containers.exec.resize(idOf(call), sizeOf(call))
  sendEmpty(call.response, 200)
}

export function inspectExec(call: Call, { engine }: RouteContext): void {
  const record = engine.containers.exec.get(idOf(call))
  const { spec } = record
  const [entrypoint = '', ...args] = spec.cmd
  sendJson(call.response, 200, {
    ID: record.id,
    Running: record.state === 'running',
    ExitCode: record.exitCode,
    ProcessConfig: { tty: spec.hasTty, entrypoint, arguments: args, privileged: spec.isPrivileged, user: spec.user },
    OpenStdin: spec.attachStdin,
    OpenStderr: spec.attachStderr,
    OpenStdout: spec.attachStdout,
    // As Docker answers until it collects them, minutes after their end.
    CanRemove: false,
    ContainerID: record.containerId,
    // Bytes, as Go writes them.
    DetachKeys: spec.detachKeys === '' ? '' : Buffer.from(parseDetachKeys(spec.detachKeys)).toString('base64'),
    Pid: record.pid,
  })
}
