import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { sendJsonLines } from '../json-lines.ts'
import { buildRequest } from '../translate/build-query.ts'

/** POST /build, the classic builder: a tar as the body, options in the query. */
export async function build(call: Call, { engine }: RouteContext): Promise<void> {
  const request = buildRequest(call.query, call.request.headers['x-registry-config'])
  if (engine.build === undefined) throw dockerError('docker.route_unsupported', 'building images is not supported by this daemon')
  await sendJsonLines(call, engine.build.build(request, call.request, call.signal))
}
