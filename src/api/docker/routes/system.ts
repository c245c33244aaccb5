import { sendBytes, sendJson } from '#api/http'

import type { Call, RouteHandle } from '../call.ts'
import { dockerError } from '../errors.ts'

/** GET and HEAD /_ping. Its headers choose the CLI's builder (1: classic) and tell whether there is a swarm. */
export function ping({ response }: Call): void {
  response.setHeader('Builder-Version', '1')
  response.setHeader('Swarm', 'inactive')
  response.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate')
  response.setHeader('Pragma', 'no-cache')
  sendBytes(response, 200, 'text/plain; charset=utf-8', response.req.method === 'HEAD' ? '' : 'OK')
}

/** A route that exists in Docker and not here: named, so that nobody looks for a broken path. */
export function refused(what: string, hint?: string): RouteHandle {
  return () => {
    throw dockerError('docker.route_unsupported', `${what} is not supported`, hint === undefined ? {} : { hint })
  }
}

/** Swarm mode's own routes, on a node that is in no swarm: dockerd's text and status. */
export function notASwarmManager(): void {
  throw dockerError(
    'docker.not_a_swarm_manager',
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  )
}

export function notInASwarm(): void {
  throw dockerError('docker.not_a_swarm_manager', 'This node is not part of a swarm')
}

export function noPlugins({ response }: Call): void {
  sendJson(response, 200, [])
}
