import type { Context } from './context.ts'
import type { LiveContainer } from './live.ts'
import { endpointStatus } from './networking.ts'

/**
 * A container that runs, after a crash in the middle of joining or leaving a network. Nobody was told that it had joined: what its
 * specification does not name is left again. What it names and the kernel has no more was on its way out, and goes. Then its status tells
 * what there is.
 */
export async function matchEndpoints(context: Context, live: LiveContainer): Promise<void> {
  const { networks, registry } = context
  const { id, spec } = live.record
  // A mode without a sandbox of its own has no endpoints.
  if (networks.sandboxPath(id) === undefined) return
  const before = networks.endpointsOf(id)
  // Names, ids or beginnings of ids, as the user wrote them.
  const wanted = Object.entries(spec.network.endpoints).map(([key, endpoint]) => ({ key, endpoint, id: networks.find(key)?.id }))
  for (const { networkId, networkName } of before)
    if (!wanted.some((one) => one.id === networkId)) await networks.detach(id, networkName)
  const attached = networks.endpointsOf(id)
  const kept = wanted.filter((one) => one.id === undefined || attached.some(({ networkId }) => networkId === one.id))
  if (kept.length < wanted.length) {
    const endpoints = Object.fromEntries(kept.map(({ key, endpoint }) => [key, endpoint]))
    registry.replace(live, { ...live.record, spec: { ...spec, network: { ...spec.network, endpoints } } })
  }
  const told = Object.keys(live.record.status.endpoints)
  if (told.length === attached.length && attached.every(({ networkName }) => told.includes(networkName))) return
  const endpoints = Object.fromEntries(attached.map((endpoint) => [endpoint.networkName, endpointStatus(endpoint)]))
  registry.setStatus(live, { endpoints, ports: networks.publishedPorts(id) })
}
