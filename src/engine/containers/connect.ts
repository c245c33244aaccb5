import { DEFAULT_NETWORK } from './container-links.ts'
import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import type { LiveContainer } from './live.ts'
import { attachRequest, endpointStatus, hostnameOf, writeFiles } from './networking.ts'
import type { EndpointSpec } from './spec.ts'

/** Joins a network, at once if it runs and otherwise at the next start. Call with the lock held. */
export async function connectContainer(
  context: Context,
  live: LiveContainer,
  networkRef: string,
  endpoint: EndpointSpec,
): Promise<void> {
  const { record } = live
  refuseShared(live)
  const network = context.networks.get(networkRef)
  const { endpoints } = record.spec.network
  if (endpoints[network.name] !== undefined) {
    throw containerError(
      'container.network_joined',
      `endpoint with name ${record.name} already exists in network ${network.name}`,
    )
  }
  if (live.process !== null) {
    const hostname = hostnameOf(context, record)
    const joined = await context.networks.attach(attachRequest(record, hostname, network.name, endpoint))
    const endpoints = { ...record.status.endpoints, [network.name]: endpointStatus(joined) }
    context.registry.setStatus(live, { endpoints, ports: context.networks.publishedPorts(record.id) })
    writeFiles(context, live.record, hostname)
  }
  saveEndpoints(context, live, { ...endpoints, [network.name]: endpoint })
  publishNetwork(context, live, network, 'connect')
}

/** Leaves a network. Call with the lock held. */
export async function disconnectContainer(context: Context, live: LiveContainer, networkRef: string): Promise<void> {
  const { record } = live
  refuseShared(live)
  const network = context.networks.get(networkRef)
  const { [network.name]: left, ...rest } = record.spec.network.endpoints
  if (left === undefined)
    throw containerError('container.network_not_joined', `container ${record.id} is not connected to the network ${network.name}`)
  if (live.process !== null) {
    await context.networks.detach(record.id, network.name)
    const { [network.name]: _gone, ...endpoints } = live.record.status.endpoints
    context.registry.setStatus(live, { endpoints, ports: context.networks.publishedPorts(record.id) })
    writeFiles(context, live.record, hostnameOf(context, record))
  }
  saveEndpoints(context, live, rest)
  publishNetwork(context, live, network, 'disconnect')
}

/**
 * Takes away the name by which it knows another one on the default network. Call with the lock held. Error: `container.link_not_found`.
 */
export function removeLink(context: Context, live: LiveContainer, alias: string): void {
  const { record } = live
  const { links = [], ...network } = record.spec.network
  const rest = network.mode === DEFAULT_NETWORK ? links.filter((link) => link.alias !== alias) : links
  if (rest.length === links.length)
    throw containerError('container.link_not_found', `No such container: /${record.name}/${alias}: there is no such link`)
  const spec = { ...record.spec, network: rest.length === 0 ? network : { ...network, links: rest } }
  context.registry.replace(live, { ...record, spec })
  if (live.process !== null) writeFiles(context, live.record, hostnameOf(context, live.record))
}

function refuseShared(live: LiveContainer): void {
  const { mode } = live.record.spec.network
  if (mode === 'host' || mode === 'none' || mode.startsWith('container:')) {
    throw containerError(
      'container.network_shared',
      `container ${live.record.name} has the network mode ${JSON.stringify(mode)} and cannot be connected to other networks`,
    )
  }
}

function saveEndpoints(context: Context, live: LiveContainer, endpoints: Readonly<Record<string, EndpointSpec>>): void {
  const { record } = live
  context.registry.replace(live, { ...record, spec: { ...record.spec, network: { ...record.spec.network, endpoints } } })
}

function publishNetwork(
  context: Context,
  live: LiveContainer,
  network: { readonly id: string; readonly name: string; readonly driver: string },
  action: string,
): void {
  context.events.publish({
    type: 'network',
    action,
    actorId: network.id,
    attributes: { container: live.record.id, name: network.name, type: network.driver },
  })
}
