import { isIP } from 'node:net'

import { isObject, readJson, sendEmpty, sendJson } from '#api/http'

import type { Call, RouteContext, RouteHandle } from '../call.ts'
import { dockerError } from '../errors.ts'
import { refuseOtherFields, type FieldTable } from '../translate/fields.ts'
import { readerOf, type Reader } from '../translate/read.ts'
import { oneOf } from './rollout-config.ts'
import { asManager, outOfSequence, versionOf } from './surroundings.ts'
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
  if (swarm.current() !== null)
    throw dockerError(
      'docker.node_is_in_swarm',
      'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.',
    )
  refuseOtherFields(json, INIT_BODY)
  const body = readerOf(json)
  const labels = readSpec(body.inner('Spec'))
  const availability = oneOf(body, 'Availability', ['active', 'pause', 'drain'] as const)
  swarm.init({ address: addressOf(body.text('AdvertiseAddr')), labels })
  if (availability !== null) await swarm.services.updateNode(swarm.nodeId, { availability })
  sendJson(call.response, 200, swarm.nodeId)
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
  const labels = readSpec(readerOf(await readJson(call.request)))
  if (query.bool('rotateManagerUnlockKey')) throw dockerError('docker.route_unsupported', 'locked swarms are not supported')
  if (version !== record.version) throw outOfSequence()
  swarm.update({
    labels,
    hasNewWorkerToken: query.bool('rotateWorkerToken'),
    hasNewManagerToken: query.bool('rotateManagerToken'),
  })
  sendEmpty(call.response, 200)
})

/** SwarmSpec: labels can be set; what else is said has to be as it is, or empty. */
function readSpec(spec: Reader): Readonly<Record<string, string>> {
  for (const name of ['Name', 'Orchestration', 'Raft', 'Dispatcher', 'CAConfig', 'TaskDefaults', 'EncryptionConfig'] as const)
    refuseOther(spec.raw(name), SWARM_SPEC[name], name)
  return spec.textMap('Labels')
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
  sendEmpty(response, 200)
}
