import { readJson, sendEmpty, sendJson } from '#api/http'
import type { NodeRecord } from '#cluster/model'

import { dockerError } from '../errors.ts'
import { readFilters } from '../filters.ts'
import { idOf } from '../routes/ids.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { readerOf } from '../translate/read.ts'
import { driversOf } from '../translate/drivers.ts'
import { nodeJson } from './node-json.ts'
import { oneOf } from './rollout-config.ts'
import { asManager, versionOf } from './surroundings.ts'

const FILTERS = ['id', 'label', 'membership', 'name', 'node.label', 'role']

export const listNodes = asManager(async ({ query, response }, { swarm, engine, record: { address } }) => {
  const filters = readFilters(query.text('filters'), FILTERS)
  const found = (await swarm.services.nodes()).filter(
    ({ record }) =>
      filters.matches('id', (id) => record.id.startsWith(id)) &&
      filters.matches('name', (name) => record.description.hostname.startsWith(name)) &&
      filters.matches('role', (role) => role === record.role) &&
      filters.matches('membership', (membership) => membership === 'accepted') &&
      filters.values('label').every((wanted) => hasLabel(record.description.engineLabels, wanted)) &&
      filters.values('node.label').every((wanted) => hasLabel(record.labels, wanted)),
  )
  const drivers = driversOf(engine.system.info(), true)
  sendJson(
    response,
    200,
    found.map((node) => nodeJson(node, address, drivers)),
  )
})

function hasLabel(labels: NodeRecord['labels'], wanted: string): boolean {
  const mark = wanted.indexOf('=')
  const key = mark === -1 ? wanted : wanted.slice(0, mark)
  return Object.hasOwn(labels, key) && (mark === -1 || labels[key] === wanted.slice(mark + 1))
}

export const inspectNode = asManager(async (call, { swarm, engine, record }) => {
  const node = await swarm.services.node(idOf(call))
  sendJson(call.response, 200, nodeJson(node, record.address, driversOf(engine.system.info(), true)))
})

const NODE_BODY: FieldTable = { fields: { Name: 'unused', Labels: 'taken', Role: 'taken', Availability: 'taken' } }

export const updateNode = asManager(async (call, { swarm, engine }) => {
  const version = versionOf(call, 'node')
  const json = await readJson(call.request)
  refuseOtherFields(json, NODE_BODY)
  const body = readerOf(json, 'NodeSpec')
  const before = await swarm.services.node(idOf(call))
  const role = oneOf(body, 'Role', ['manager', 'worker'] as const)
  if (role === 'worker' && before.record.role === 'manager')
    throw dockerError(
      'docker.field_invalid',
      'rpc error: code = FailedPrecondition desc = attempting to demote the last manager of the swarm',
    )
  const availability = oneOf(body, 'Availability', ['active', 'pause', 'drain'] as const) ?? before.record.availability
  await swarm.services.updateNode(before.record.id, { labels: body.textMap('Labels'), availability }, version)
  const { hostname } = before.record.description
  const changes =
    availability === before.record.availability
      ? {}
      : { 'availability.new': availability, 'availability.old': before.record.availability }
  engine.events.publish({ type: 'node', action: 'update', actorId: before.record.id, attributes: { name: hostname, ...changes } })
  sendEmpty(call.response, 200)
})

/** There is one, and it is this one. */
export const removeNode = asManager(async (call, { swarm }) => {
  const { record } = await swarm.services.node(idOf(call))
  throw dockerError(
    'docker.field_invalid',
    `rpc error: code = FailedPrecondition desc = node ${record.id} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`,
  )
})
