import { readJson, sendJson } from '#api/http'

import type { Call, RouteContext } from '../call.ts'
import { dockerError } from '../errors.ts'
import { refuseUnattachable } from '../swarm/network-swarm.ts'
import { createSpec, imageOf } from '../translate/create-body.ts'
import { requirePlatform } from '../translate/platform.ts'

/** POST /containers/create. */
export async function createContainer(call: Call, { engine }: RouteContext): Promise<void> {
  engine.system.expectWork?.()
  const body = await readJson(call.request)
  if (Object.keys(body).length === 0)
    throw dockerError('docker.field_invalid', 'config cannot be empty in order to create a container')
  const { cpus, runtimes, hasAppArmor } = engine.system.facts()
  const image = engine.images.get(imageOf(body))
  requirePlatform(call.query.text('platform'), image)
  const { spec, warnings } = createSpec(body, {
    image,
    minor: call.minor,
    cpus,
    runtimes: Object.keys(runtimes),
    hasAppArmor,
    ...(engine.system.limitSupport === undefined ? {} : { support: engine.system.limitSupport() }),
    containerOf: (ref) => engine.containers.get(ref),
  })
  for (const name of Object.keys(spec.network.endpoints)) {
    const network = engine.networks.list().find((one) => one.name === name || one.id === name)
    if (network !== undefined) refuseUnattachable(network)
  }
  const created = await engine.containers.create(spec, call.query.text('name') || null)
  sendJson(call.response, 201, { Id: created.id, Warnings: [...warnings, ...created.warnings] })
}
