import { sendJson, sendStream } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { filterContainers } from '../list-filter.ts'
import { tellOfContainer } from '../tell.ts'
import { containerJson, containerSummary } from '../translate/container-json.ts'
import { topJson } from '../translate/top-json.ts'
import { idOf } from './ids.ts'

/** GET /containers/json. */
export async function listContainers({ query, minor, response }: Call, { engine, clock }: RouteContext): Promise<void> {
  const asked = { filters: query.text('filters'), all: query.bool('all'), limit: query.int('limit') ?? 0 }
  const found = filterContainers(engine.containers.list(), asked, {
    findImage: (ref) => engine.images.find(ref),
    containerOf: (ref) => engine.containers.get(ref),
  })
  const withSize = query.bool('size')
  const nowMs = clock.nowMs()
  const items = []
  for (const record of found) {
    const size = withSize ? await engine.containers.size(record.id) : null
    items.push(containerSummary(record, { minor, nowMs, size }))
  }
  sendJson(response, 200, items)
}

export async function inspectContainer(call: Call, { engine }: RouteContext): Promise<void> {
  const record = engine.containers.get(idOf(call))
  const size = call.query.bool('size') ? await engine.containers.size(record.id) : null
  const { storageDriver } = engine.system.facts()
  const execIds = engine.containers.exec.list(record.id).map((exec) => exec.id)
  const files = engine.containers.files(record.id)
  sendJson(call.response, 200, containerJson(record, { minor: call.minor, storageDriver, size, execIds, files }))
}

export async function topContainer(call: Call, { engine }: RouteContext): Promise<void> {
  const processes = await engine.containers.top(idOf(call))
  tellOfContainer(engine, engine.containers.get(idOf(call)), 'top')
  sendJson(call.response, 200, topJson(processes, call.query.text('ps_args'), engine.system.facts().memoryBytes))
}

const CHANGE_KINDS = { modified: 0, added: 1, deleted: 2 } as const

export async function listChanges(call: Call, { engine }: RouteContext): Promise<void> {
  const changes = await engine.containers.changes(idOf(call))
  sendJson(
    call.response,
    200,
    changes.map(({ path, kind }) => ({ Path: path, Kind: CHANGE_KINDS[kind] })),
  )
}

export async function exportContainer(call: Call, { engine }: RouteContext): Promise<void> {
  const record = engine.containers.get(idOf(call))
  const content = await engine.containers.export(record.id)
  tellOfContainer(engine, record, 'export')
  await sendStream(call.response, 'application/octet-stream', content)
}
