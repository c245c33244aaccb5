import { readJson, sendEmpty, sendJson } from '#api/http'
import type { Network } from '#engine/network'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { patternTest, readFilters } from '../filters.ts'
import { refuseUnattachable, refuseUsedNetwork, swarmParts } from '../swarm/network-swarm.ts'
import { untilRemoved } from '../swarm/until-removed.ts'
import { ENDPOINT } from '../translate/create-fields.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { networkJson, shownNetwork } from '../translate/network-json.ts'
import { NETWORK_BODY, networkSpec } from '../translate/network-request.ts'
import { emptyEndpoint, endpointSpec } from '../translate/networking.ts'
import { readerOf } from '../translate/read.ts'
import { idOf } from './ids.ts'

const LAST_MINOR_WITH_MEMBERS_IN_LIST = 27
const LIST_FILTERS = ['dangling', 'driver', 'id', 'label', 'label!', 'name', 'scope', 'type']

export function listNetworks({ query, minor, response }: Call, { engine }: RouteContext): void {
  const isWanted = networkTest(query.text('filters'), (id) => isUsed(id, engine))
  const found = engine.networks.list().filter(isWanted)
  // Who is on a network is told by inspect alone since 1.28.
  const members = minor <= LAST_MINOR_WITH_MEMBERS_IN_LIST ? engine.containers.list() : []
  sendJson(
    response,
    200,
    found.map((network) => networkJson(network, members, minor)),
  )
}

function networkTest(text: string, isInUse: (id: string) => boolean): (network: Network) => boolean {
  const filters = readFilters(text, LIST_FILTERS)
  const dangling = filters.flag('dangling')
  const isId = patternTest(filters, 'id')
  const isName = patternTest(filters, 'name')
  return (network) =>
    isId(network.id) &&
    isName(network.name) &&
    filters.matches('driver', (driver) => driver === shownNetwork(network).driver) &&
    filters.matches('scope', (scope) => scope === shownNetwork(network).scope) &&
    filters.matches('type', (type) => (type === 'builtin') === network.isPredefined) &&
    filters.matchesLabels(network.labels) &&
    (dangling === null || dangling === !(isInUse(network.id) || network.isPredefined))
}

function isUsed(id: string, engine: RouteContext['engine']): boolean {
  return engine.containers
    .list()
    .some((record) => Object.values(record.status.endpoints).some((endpoint) => endpoint.networkId === id))
}

export async function inspectNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  const scope = call.query.text('scope')
  const network = engine.networks.get(idOf(call))
  if (scope !== '' && scope !== 'local' && !(scope === 'swarm' && isSwarm(engine)))
    throw dockerError('docker.parameter_missing', `network ${network.name} is not of scope ${scope}`)
  const more = await swarmParts(network, engine, call.query.bool('verbose'))
  sendJson(call.response, 200, networkJson(network, engine.containers.list(), call.minor, more))
}

function isSwarm({ swarm }: RouteContext['engine']): boolean {
  return (swarm?.current() ?? null) !== null
}

export async function createNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, NETWORK_BODY)
  const { id } = engine.networks.create(networkSpec(readerOf(json), isSwarm(engine)))
  sendJson(call.response, 201, { Id: id, Warning: '' })
}

export async function removeNetwork(call: Call, { engine, clock }: RouteContext): Promise<void> {
  const network = engine.networks.get(idOf(call))
  await refuseUsedNetwork(network, engine)
  if (engine.swarm !== undefined && shownNetwork(network).scope === 'swarm')
    await untilRemoved(engine.swarm.services, clock, () => true)
  await engine.networks.remove(idOf(call))
  sendEmpty(call.response, 204)
}

export const CONNECT_BODY: FieldTable = { fields: { Container: 'taken', EndpointConfig: ENDPOINT } }

export async function connectNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, CONNECT_BODY)
  const body = readerOf(json)
  const settings = body.innerOrNull('EndpointConfig')
  const endpoint = settings === null ? emptyEndpoint() : endpointSpec(settings)
  refuseUnattachable(engine.networks.get(idOf(call)))
  await engine.containers.connect(containerIn(body.text('Container')), idOf(call), endpoint)
  sendEmpty(call.response, 200)
}

// Force is for endpoints that have outlived their container, which here go with it: there is nothing more to force.
export const DISCONNECT_BODY: FieldTable = { fields: { Container: 'taken', Force: 'reported' } }

export async function disconnectNetwork(call: Call, { engine }: RouteContext): Promise<void> {
  const json = await readJson(call.request)
  refuseOtherFields(json, DISCONNECT_BODY)
  await engine.containers.disconnect(containerIn(readerOf(json).text('Container')), idOf(call))
  sendEmpty(call.response, 200)
}

function containerIn(ref: string): string {
  if (ref === '') throw dockerError('docker.parameter_missing', 'Container: name the container')
  return ref
}
