import { readJson, sendEmpty, sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import type { ApiNetwork } from '../engine.ts'
import { dockerError } from '../errors.ts'
import { patternTest, readFilters } from '../filters.ts'
import { ENDPOINT } from '../translate/create-fields.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { networkJson } from '../translate/network-json.ts'
import { NETWORK_BODY, networkRequest } from '../translate/network-request.ts'
import { emptyEndpoint, endpointSpec } from '../translate/networking.ts'
import { readerOf } from '../translate/read.ts'
import { idOf } from './ids.ts'

const PREDEFINED = ['bridge', 'host', 'none']
const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'label!', 'name', 'scope', 'type']

export function listNetworks({ query, minor, response }: Call, { engine }: RouteContext): void {
  const isWanted = networkTest(query.text('filters'), (id) => isUsed(id, engine))
  const found = engine.networks.list().filter(isWanted)
  sendJson(
    response,
    200,
    found.map((network) => networkJson(network, [], minor)),
  )
}

function networkTest(text: string, isInUse: (id: string) => boolean): (network: ApiNetwork) => boolean {
  const filters = readFilters(text, LIST_FILTERS)
  const dangling = filters.flag('dangling')
  const isId = patternTest(filters, 'id')
  const isName = patternTest(filters, 'name')
  return (network) =>
    isId(network.id) &&
    isName(network.name) &&
    filters.matches('driver', (driver) => driver === network.driver) &&
    filters.matches('scope', (scope) => scope === network.scope) &&
    filters.matches('type', (type) => (type === 'builtin') === PREDEFINED.includes(network.name)) &&
    filters.matchesLabels(network.labels) &&
    (dangling === null || dangling === !(isInUse(network.id) || PREDEFINED.includes(network.name)))
}

function isUsed(id: string, engine: RouteContext['engine']): boolean {
  return engine.containers
    .list()
    .some((record) => Object.values(record.status.endpoints).some((endpoint) => endpoint.networkId === id))
}

export function inspectNetwork(call: Call, { engine }: RouteContext): void {
  const scope = call.query.text('scope')
  const network = engine.networks.get(idOf(call))
  if (scope !== '' && scope !== network.scope)
    throw dockerError('docker.parameter_missing', `network ${network.name} is not of scope ${scope}`)
  sendJson(call.response, 200, networkJson(network, engine.containers.list(), call.minor))
}

export async function createNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, NETWORK_BODY)
  const { id, warning } = await engine.networks.create(networkRequest(readerOf(json)))
  sendJson(call.response, 201, { Id: id, Warning: warning })
}

export async function removeNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  await engine.networks.remove(idOf(call))
  sendEmpty(call.response, 204)
}

const CONNECT_BODY: FieldTable = { fields: { Container: 'taken', EndpointConfig: ENDPOINT } }

export async function connectNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, CONNECT_BODY)
  const body = readerOf(json)
  const settings = body.innerOrNull('EndpointConfig')
  await engine.networks.connect(
    idOf(call),
    containerIn(body.text('Container')),
    settings === null ? emptyEndpoint() : endpointSpec(settings),
  )
  sendEmpty(call.response, 200)
}

const DISCONNECT_BODY: FieldTable = { fields: { Container: 'taken', Force: 'taken' } }

export async function disconnectNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, DISCONNECT_BODY)
  const body = readerOf(json)
  await engine.networks.disconnect(idOf(call), containerIn(body.text('Container')), { force: body.bool('Force') })
  sendEmpty(call.response, 200)
}

function containerIn(ref: string): string {
  if (ref === '') throw dockerError('docker.parameter_missing', 'Container: name the container')
  return ref
}
