import { isObject, readJson, sendEmpty, sendJson, type JsonObject } from '#api/http'
import type { SecretKind } from '#cluster/secrets'
import { isKind } from '#base'
import type { Services, ServiceSight, ServiceWish } from '#cluster/services'

import type { Call } from '../call.ts'
import { dockerError } from '../errors.ts'
import { readFilters } from '../filters.ts'
import { readCredentials } from '../routes/registries.ts'
import { idOf } from '../routes/ids.ts'
import { withDefaults, withNetworkIds } from './default-fields.ts'
import { serviceJson } from './service-json.ts'
import type { DockerSwarm } from './port.ts'
import { serviceWish } from './service-wish.ts'
import { untilRemoved } from './until-removed.ts'
import { asManager, versionOf, type SwarmContext } from './surroundings.ts'

const FILTERS = ['id', 'label', 'mode', 'name', 'runtime']

export const listServices = asManager(async ({ query, response }, { swarm }) => {
  const filters = readFilters(query.text('filters'), FILTERS)
  const begins = (name: string, text: string) => filters.matches(name, (value) => text.startsWith(value))
  const found = (await swarm.services.list()).filter(
    ({ record, revision }) =>
      record.state !== 'removing' &&
      begins('id', record.id) &&
      begins('name', record.name) &&
      filters.matches('mode', (mode) => mode === revision.spec.mode) &&
      filters.matches('runtime', (runtime) => runtime === 'container') &&
      filters.matchesLabels(record.labels),
  )
  const virtualIps = swarm.virtualIps()
  sendJson(
    response,
    200,
    found.map((sight) => serviceJson(sight, virtualIps, query.bool('status'))),
  )
})

export const inspectService = asManager(async (call, { swarm }) => {
  const json = serviceJson(await wantedService(idOf(call), swarm.services), swarm.virtualIps(), false)
  sendJson(call.response, 200, call.query.bool('insertDefaults') ? { ...json, Spec: withDefaults(json.Spec) } : json)
})

/** Of a create; an update always had them. */
const FIRST_MINOR_WITH_WARNINGS = 44

export const createService = asManager(async (call, context) => {
  const { swarm, engine } = context
  const json = await readJson(call.request)
  const named = json['Name']
  const services = await afterRemoval(typeof named === 'string' ? named : '', context)
  const wish = await completeWish(json, services, null, context)
  const taken = services.find(({ record }) => record.name === wish.name)
  if (taken !== undefined)
    throw dockerError(
      'docker.swarm_name_in_use',
      `rpc error: code = AlreadyExists desc = name conflicts with an existing object: service ${wish.name} already exists`,
    )
  provide(call, wish, context)
  const { record } = await swarm.services.create(wish)
  engine.events.publish({ type: 'service', action: 'create', actorId: record.id, attributes: { name: record.name } })
  sendJson(call.response, 201, { ID: record.id, ...(call.minor >= FIRST_MINOR_WITH_WARNINGS ? { Warnings: null } : {}) })
})

/** To clients a service that is being removed is gone. Error: `docker.swarm_not_found`. */
export async function wantedService(ref: string, services: Services): Promise<ServiceSight> {
  const sight = await services.get(ref).catch((error: unknown) => {
    if (!isKind(error, 'not_found')) throw error
    return undefined
  })
  if (sight === undefined || sight.record.state === 'removing')
    throw dockerError('docker.swarm_not_found', `service ${ref} not found`)
  return sight
}

/** Its name is free for clients once they have removed it, and for us when its last task is gone: waits for that. */
async function afterRemoval(name: string, { swarm, clock }: SwarmContext): Promise<readonly ServiceSight[]> {
  await untilRemoved(swarm.services, clock, (record) => record.name === name)
  return (await swarm.services.list()).filter(({ record }) => record.name === name || record.state !== 'removing')
}

export const updateService = asManager(async (call, context) => {
  const { swarm } = context
  const version = versionOf(call, 'service')
  const before = await wantedService(idOf(call), swarm.services)
  const json = await readJson(call.request)
  if (isRollback(call)) await rollBack(before, version, context)
  else {
    const wish = await completeWish(json, await swarm.services.list(), before, context)
    checkChange(before, wish)
    provide(call, wish, context)
    await swarm.services.update(before.record.id, wish, version)
  }
  sendJson(call.response, 200, { Warnings: null })
})

function isRollback({ query }: Call): boolean {
  const rollback = query.text('rollback')
  if (rollback !== '' && rollback !== 'none' && rollback !== 'previous')
    throw dockerError('docker.field_invalid', `unrecognized rollback option ${rollback}`)
  return rollback === 'previous'
}

async function rollBack({ record, previous }: ServiceSight, version: number, { swarm }: SwarmContext): Promise<void> {
  if (previous === null)
    throw dockerError(
      'docker.field_invalid',
      `rpc error: code = FailedPrecondition desc = service ${record.name} does not have a previous spec`,
    )
  await swarm.services.rollback(record.id, 'docker', version)
}

function checkChange({ record, revision }: ServiceSight, wish: ServiceWish): void {
  if (wish.name !== record.name)
    throw dockerError('docker.option_unsupported', 'rpc error: code = Unimplemented desc = renaming services is not supported')
  if (wish.spec.mode !== revision.spec.mode)
    throw dockerError('docker.option_unsupported', 'rpc error: code = Unimplemented desc = service mode change is not allowed')
}

export const removeService = asManager(async (call, { swarm, engine }) => {
  const { record } = await wantedService(idOf(call), swarm.services)
  await swarm.services.remove(record.id)
  engine.events.publish({ type: 'service', action: 'remove', actorId: record.id, attributes: { name: record.name } })
  sendEmpty(call.response, 200)
})

/** Looks up what the request names, then translates it. `before`: what it changes. */
async function completeWish(
  json: JsonObject,
  services: readonly ServiceSight[],
  before: ServiceSight | null,
  { swarm, engine }: SwarmContext,
): Promise<ServiceWish> {
  const names = new Map<string, string>()
  for (const kind of ['secret', 'config'] as const)
    for (const id of referred(json, kind)) names.set(`${kind}/${id}`, (await swarm.secrets.inspect(kind, id)).name)
  const free = await freePorts(json, swarm)
  const said = withNetworkIds(json, (ref) => engine.networks.get(ref).id)
  const wish = serviceWish(said, {
    networkName: (ref) => engine.networks.get(ref).name,
    secretName: (kind, id) => names.get(`${kind}/${id}`) ?? id,
    freePort: (protocol, containerPort) => {
      const same = before?.revision.spec.ports.find(
        (port) => port.mode === 'ingress' && port.protocol === protocol && port.containerPort === containerPort,
      )
      if (same !== undefined && same.published !== null) return same.published
      const port = free.shift()
      if (port === undefined)
        throw dockerError('docker.field_invalid', 'EndpointSpec.Ports: there is no free port left: name the ports')
      return port
    },
  })
  checkPorts(wish, services, before)
  const mounts = { secrets: wish.spec.secrets, configs: wish.spec.configs }
  const versions = await swarm.secrets.versions(mounts, wish.parts)
  return { ...wish, parts: { ...wish.parts, versions }, imageId: engine.images.find(wish.spec.task.image)?.id ?? null }
}

/** More than anybody publishes without a number; each is asked for by itself. */
const MAX_CHOSEN_PORTS = 50
/** The same port comes again and again until somebody listens. */
const MAX_TRIES_A_PORT = 20

/** As many as the request leaves open, all different. */
async function freePorts(json: JsonObject, swarm: DockerSwarm): Promise<number[]> {
  const endpoint = json['EndpointSpec']
  const ports: unknown = isObject(endpoint) ? endpoint['Ports'] : undefined
  const open = Array.isArray(ports) ? ports.filter((port: unknown) => isObject(port) && !port['PublishedPort']).length : 0
  const wanted = Math.min(open, MAX_CHOSEN_PORTS)
  const found = new Set<number>()
  for (let tries = 0; found.size < wanted && tries < wanted * MAX_TRIES_A_PORT; tries += 1) found.add(await swarm.freePort())
  return [...found]
}

function referred(json: JsonObject, kind: SecretKind): readonly string[] {
  const [list, id] = kind === 'secret' ? (['Secrets', 'SecretID'] as const) : (['Configs', 'ConfigID'] as const)
  const task = json['TaskTemplate']
  const container = isObject(task) ? task['ContainerSpec'] : undefined
  const all: unknown = isObject(container) ? container[list] : undefined
  return Array.isArray(all) ? all.flatMap((one: unknown) => (isObject(one) && typeof one[id] === 'string' ? [one[id]] : [])) : []
}

function checkPorts(wish: ServiceWish, services: readonly ServiceSight[], before: ServiceSight | null): void {
  for (const { record, revision } of services) {
    if (record.id === before?.record.id) continue
    const clash = wish.spec.ports.find((port) => revision.spec.ports.some((other) => isSamePort(port, other)))
    if (clash !== undefined)
      throw dockerError(
        'docker.field_invalid',
        `rpc error: code = InvalidArgument desc = port '${clash.published}' is already in use by service '${record.name}' (${record.id}) as an ingress port`,
      )
  }
}

type Port = ServiceWish['spec']['ports'][number]

function isSamePort(one: Port, other: Port): boolean {
  const isIngress = one.mode === 'ingress' && other.mode === 'ingress'
  return isIngress && one.published !== null && one.published === other.published && one.protocol === other.protocol
}

function provide({ request }: Call, { imageId, spec }: ServiceWish, { swarm }: SwarmContext): void {
  if (imageId === null) swarm.provideImage(spec.task.image, readCredentials(request.headers['x-registry-auth']))
}
