import { sendBytes, sendJson } from '#api/http'

import type { Call, RouteContext, RouteHandle } from '../call.ts'
import { dockerError } from '../errors.ts'

/** GET and HEAD /_ping. Its headers choose the CLI's builder (1: classic) and tell whether there is a swarm. */
export function ping({ response }: Call, { engine }: RouteContext): void {
  response.setHeader('Builder-Version', '1')
  response.setHeader('Swarm', (engine.swarm?.current() ?? null) === null ? 'inactive' : 'active/manager')
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

export function noPlugins({ response }: Call): void {
  sendJson(response, 200, [])
}
