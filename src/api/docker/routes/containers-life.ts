import { readJson, sendEmpty, sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { changeWithin } from '../translate/limits-within.ts'
import { UPDATE_BODY } from '../translate/create-fields.ts'
import { refuseOtherFields } from '../translate/fields.ts'
import { readerOf } from '../translate/read.ts'
import { resourceChange } from '../translate/resources.ts'
import { restartPolicy } from '../translate/restart.ts'
import { idOf } from './ids.ts'

/** `{}` and `null` with a line end: what careful clients send where nothing is expected. */
const MAX_IGNORED_BODY_BYTES = 7

export async function startContainer(call: Call, { engine }: RouteContext): Promise<void> {
  if (Number(call.request.headers['content-length'] ?? 0) > MAX_IGNORED_BODY_BYTES)
    throw dockerError(
      'docker.field_invalid',
      'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
    )
  for (const name of ['checkpoint', 'checkpoint-dir'])
    if (call.query.text(name) !== '')
      throw dockerError('docker.option_unsupported', `start from a checkpoint (query ${name}) is not supported`)
  const detachKeys = call.query.text('detachKeys')
  const isStarted = await engine.containers.start(idOf(call), detachKeys === '' ? {} : { detachKeys })
  sendEmpty(call.response, isStarted ? 204 : 304)
}

export async function stopContainer(call: Call, { engine }: RouteContext): Promise<void> {
  const isStopped = await engine.containers.stop(idOf(call), stopOptions(call))
  sendEmpty(call.response, isStopped ? 204 : 304)
}

export async function restartContainer(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.containers.restart(idOf(call), stopOptions(call))
  sendEmpty(call.response, 204)
}

/** Before 1.42 a stop had no signal of its own. */
const FIRST_MINOR_WITH_STOP_SIGNAL = 42

function stopOptions({ query, minor }: Call): { readonly signal: string | null; readonly timeoutS: number | null } {
  return { signal: minor < FIRST_MINOR_WITH_STOP_SIGNAL ? null : query.text('signal') || null, timeoutS: query.int('t') }
}

export async function killContainer(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.containers.kill(idOf(call), call.query.text('signal') || 'SIGKILL')
  sendEmpty(call.response, 204)
}

export async function pauseContainer(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.containers.pause(idOf(call))
  sendEmpty(call.response, 204)
}

export async function unpauseContainer(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.containers.unpause(idOf(call))
  sendEmpty(call.response, 204)
}

export async function renameContainer(call: Call, { engine }: RouteContext): Promise<void> {
  const name = call.query.text('name')
  if (name === '') throw dockerError('docker.parameter_missing', 'Neither old nor new names may be empty')
  await engine.containers.rename(idOf(call), name)
  sendEmpty(call.response, 204)
}

export async function updateContainer(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, UPDATE_BODY)
  const body = readerOf(json)
  const policy = body.innerOrNull('RestartPolicy')
  const restart = policy === null || policy.text('Name') === '' ? null : restartPolicy(policy)
  const asked = resourceChange(body, engine.system.facts())
  const { resources, warnings } = changeWithin(asked, engine.system.limitSupport?.())
  const more = await engine.containers.update(idOf(call), { resources, restart })
  sendJson(call.response, 200, { Warnings: [...warnings, ...more] })
}

export async function removeContainer(call: Call, { engine }: RouteContext): Promise<void> {
  const { query } = call
  if (query.bool('link')) return await removeLink(call, { engine })
  await engine.containers.remove(idOf(call), { force: query.bool('force'), volumes: query.bool('v') })
  sendEmpty(call.response, 204)
}

/** `docker rm --link WEB/DB`: the name by which the one knows the other. */
async function removeLink(call: Call, { engine }: Pick<RouteContext, 'engine'>): Promise<void> {
  const [container = '', alias = '', ...rest] = idOf(call).replace(/^\//, '').split('/')
  if (alias === '')
    throw dockerError('docker.option_conflict', 'Conflict, cannot remove the default link name of the container', {
      hint: 'Name a link as CONTAINER/ALIAS.',
    })
  await engine.containers.removeLink(container, [alias, ...rest].join('/'))
  sendEmpty(call.response, 204)
}

const FIRST_MINOR_WITH_CONDITION = 30
const CONDITIONS = ['not-running', 'next-exit', 'removed'] as const

/** POST /containers/{id}/wait. The head goes at once: clients start the container only when they have it. */
export async function waitContainer(call: Call, { engine }: RouteContext): Promise<void> {
  // Before 1.30 there was but one thing to wait for.
  const asked = (call.minor >= FIRST_MINOR_WITH_CONDITION && call.query.text('condition')) || 'not-running'
  const condition = CONDITIONS.find((known) => known === asked)
  if (condition === undefined) throw dockerError('docker.field_invalid', `invalid condition: ${JSON.stringify(asked)}`)
  const { done } = await engine.containers.wait(idOf(call), condition, call.signal)
  const { response } = call
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.flushHeaders()
  const ended = await done
  if (ended === null) return
  const { exitCode, error } = ended
  response.end(`${JSON.stringify({ StatusCode: exitCode, ...(error === '' ? {} : { Error: { Message: error } }) })}\n`)
}

export async function resizeContainer(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.containers.resize(idOf(call), sizeOf(call))
  sendEmpty(call.response, 200)
}

/** The queries `h` and `w`. Error: `docker.parameter_missing`. */
export function sizeOf({ query }: Call): { readonly rows: number; readonly columns: number } {
  const rows = query.int('h')
  const columns = query.int('w')
  if (rows === null || columns === null || rows < 0 || columns < 0 || rows > 65_535 || columns > 65_535)
    throw dockerError('docker.parameter_missing', `resize: h (${rows}) and w (${columns}) must be numbers of rows and columns`)
  return { rows, columns }
}
