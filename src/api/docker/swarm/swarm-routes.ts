import { isIP } from 'node:net'

import { isObject, readJson, sendEmpty, sendJson } from '#api/http'
import { isKind } from '#base'

import type { Call, RouteContext, RouteHandle } from '../call.ts'
import { dockerError } from '../errors.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { shownNetwork } from '../translate/network-json.ts'
import { readerOf, type Reader } from '../translate/read.ts'
import { oneOf } from './rollout-config.ts'
import { asManager, outOfSequence, versionOf } from './surroundings.ts'
import type { DockerSwarm, SwarmRecord } from './port.ts'
import { SWARM_SPEC, swarmJson } from './swarm-json.ts'

const INIT_BODY: FieldTable = {
  fields: {
    // Nothing listens for other machines: the addresses are shown, and that is all.
    ListenAddr: 'reported',
    AdvertiseAddr: 'taken',
    DataPathAddr: 'unused',
    DataPathPort: 'unused',
    DefaultAddrPool: 'unused',
    // Of the pool: clients name the usual size without one.
    SubnetSize: 'reported',
    ForceNewCluster: 'unused',
    AutoLockManagers: 'unused',
    Availability: 'taken',
    Spec: 'taken',
  },
}

export const initSwarm: RouteHandle = async (call: Call, { engine }: RouteContext) => {
  const { swarm } = engine
  if (swarm === undefined) throw dockerError('docker.route_unsupported', 'swarm mode is not supported')
  const json = await readJson(call.request)
  refuseSecond(swarm)
  refuseOtherFields(json, INIT_BODY)
  const body = readerOf(json)
  const spec = readSpec(body.inner('Spec'))
  const availability = oneOf(body, 'Availability', ['active', 'pause', 'drain'] as const)
  swarm.init({ ...spec, address: addressOf(body.text('AdvertiseAddr')) })
  if (availability !== null) await swarm.services.updateNode(swarm.nodeId, { availability })
  sendJson(call.response, 200, swarm.nodeId)
}

function refuseSecond(swarm: DockerSwarm | undefined): void {
  if ((swarm?.current() ?? null) !== null)
    throw dockerError(
      'docker.node_is_in_swarm',
      'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    )
}

export const joinSwarm: RouteHandle = (_call: Call, { engine }: RouteContext) => {
  refuseSecond(engine.swarm)
  throw dockerError('docker.route_unsupported', 'joining a swarm is not supported', {
    hint: 'A swarm is one machine: make one with `docker swarm init`.',
  })
}

const LOOPBACK = '127.0.0.1'

/** `192.0.2.1`, `192.0.2.1:2377`, `[2001:db8::1]:2377`. */
function addressOf(text: string): string {
  if (text === '') return LOOPBACK
  const bare = isIP(text) === 0 ? text.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') : text
  if (isIP(bare) === 0)
    throw dockerError('docker.option_unsupported', `AdvertiseAddr: ${JSON.stringify(text)} is not supported: name an address`)
  return bare
}

export const inspectSwarm = asManager(({ response }, { record }) => sendJson(response, 200, swarmJson(record)))

export const updateSwarm = asManager(async (call, { swarm, record }) => {
  const { query } = call
  const version = versionOf(call, 'swarm')
  const spec = readSpec(readerOf(await readJson(call.request)))
  if (query.bool('rotateManagerUnlockKey')) throw dockerError('docker.route_unsupported', 'locked swarms are not supported')
  if (version !== record.version) throw outOfSequence()
  swarm.update({
    ...spec,
    hasNewWorkerToken: query.bool('rotateWorkerToken'),
    hasNewManagerToken: query.bool('rotateManagerToken'),
  })
  sendEmpty(call.response, 200)
})

/** Of a client that says nothing, as dockerd has it. */
const KEPT_TASKS_PER_SLOT = 5
/** Each is a record that is looked at in every round of planning. */
const MAX_KEPT_TASKS_PER_SLOT = 100

/** SwarmSpec: labels and the number of old tasks can be set; what else is said has to be as it is, or empty. */
function readSpec(spec: Reader): Pick<SwarmRecord, 'labels' | 'keptTasksPerSlot'> {
  const orchestration = spec.inner('Orchestration')
  const keptTasksPerSlot = orchestration.int('TaskHistoryRetentionLimit') ?? KEPT_TASKS_PER_SLOT
  if (keptTasksPerSlot < 0 || keptTasksPerSlot > MAX_KEPT_TASKS_PER_SLOT)
    throw dockerError(
      'docker.field_unsupported',
      `Orchestration.TaskHistoryRetentionLimit: ${keptTasksPerSlot} is not supported: from 0 to ${MAX_KEPT_TASKS_PER_SLOT}`,
    )
  for (const name of ['Name', 'Raft', 'Dispatcher', 'CAConfig', 'TaskDefaults', 'EncryptionConfig'] as const)
    refuseOther(spec.raw(name), SWARM_SPEC[name], name)
  return { labels: spec.textMap('Labels'), keptTasksPerSlot }
}

function refuseOther(value: unknown, fixed: unknown, at: string): void {
  if (value === undefined || value === null || value === '' || value === 0 || value === false || value === fixed) return
  if (Array.isArray(value) && value.length === 0) return
  if (isObject(value)) {
    for (const [name, inner] of Object.entries(value))
      refuseOther(inner, isObject(fixed) ? fixed[name] : undefined, `${at}.${name}`)
    return
  }
  const only = fixed === undefined ? '' : `: it is ${JSON.stringify(fixed)}`
  throw dockerError('docker.field_unsupported', `${at} is not supported (${JSON.stringify(value).slice(0, 100)})${only}`)
}

/** Swarms here are never locked: there is no key, which clients know how to say. */
export const inspectUnlockKey = asManager(({ response }) => sendJson(response, 200, { UnlockKey: '' }))

export const unlockSwarm = asManager(() => {
  throw dockerError('docker.swarm_not_locked', 'swarm is not locked')
})

export const leaveSwarm: RouteHandle = async ({ query, response }: Call, { engine }: RouteContext) => {
  const { swarm } = engine
  if (swarm === undefined || swarm.current() === null)
    throw dockerError('docker.not_a_swarm_manager', 'This node is not part of a swarm')
  if (!query.bool('force'))
    throw dockerError(
      'docker.node_is_in_swarm',
      'You are attempting to leave the swarm on a node that is participating as a manager. Removing the last manager erases all current state of the swarm. Use `--force` to ignore this message.',
    )
  await swarm.leave()
  await removeNetworks(engine)
  sendEmpty(response, 200)
}

/** Those that are the swarm's go with it, but for one that somebody's container is on. */
async function removeNetworks({ networks }: RouteContext['engine']): Promise<void> {
  for (const network of networks.list().filter((one) => shownNetwork(one).scope === 'swarm'))
    await networks.remove(network.id).catch((error: unknown) => {
      if (!isKind(error, 'conflict') && !isKind(error, 'not_found')) throw error
    })
}
