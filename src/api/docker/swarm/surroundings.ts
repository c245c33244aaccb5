import type { Call, RouteContext, RouteHandle } from '../call.ts'
import { dockerError } from '../errors.ts'
import { isKind } from '#base'
import type { DockerSwarm, SwarmRecord } from './port.ts'

/** What the routes of swarm mode work with. */
export interface SwarmContext extends RouteContext {
  readonly swarm: DockerSwarm
  readonly record: SwarmRecord
}

/** A route that there is only while this machine is a swarm. dockerd's text and status otherwise. */
export function asManager(handle: (call: Call, context: SwarmContext) => void | Promise<void>): RouteHandle {
  return async (call, context) => {
    const { swarm } = context.engine
    const record = swarm?.current() ?? null
    if (swarm === undefined || record === null) throw notAManager()
    try {
      const services = swarm.actorOf === undefined ? swarm.services : swarm.services.as(swarm.actorOf(call.request))
      await handle(call, { ...context, swarm: { ...swarm, services }, record })
    } catch (error) {
      if (isKind(error, 'conflict') && (error.code === 'service.changed' || error.code === 'secret.changed'))
        throw outOfSequence(error)
      throw inSwarmWords(error)
    }
  }
}

/** Scripts look for the words. */
function inSwarmWords(error: unknown): unknown {
  const [, kind = '', ref = ''] = isKind(error, 'not_found')
    ? (/^no such (node|task|service): (.*)$/s.exec(error.message) ?? [])
    : []
  return kind === '' ? error : dockerError('docker.swarm_not_found', `${kind} ${ref} not found`, { cause: error })
}

function notAManager() {
  return dockerError(
    'docker.not_a_swarm_manager',
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  )
}

export function outOfSequence(cause?: unknown) {
  return dockerError('docker.update_out_of_sequence', 'rpc error: code = Unknown desc = update out of sequence', { cause })
}

/** The version that the client saw, which updates have to name. */
export function versionOf({ query }: Call, kind: string): number {
  const text = query.text('version')
  const version = /^\d{1,15}$/.test(text) ? Number(text) : null
  if (version === null) throw dockerError('docker.field_invalid', `invalid ${kind} version '${text}'`)
  return version
}
