import { isIPv4 } from 'node:net'

import { during } from '#base'
import type { ContainerId } from '#base'

import type { Context } from './context.ts'
import { networkError } from './errors.ts'
import { gatewayEndpoint } from './gateways.ts'
import type { PortRule } from './nft-plan.ts'
import { bridgeSettings } from './options.ts'
import { isParentDriver } from './parent-options.ts'
import { planPorts } from './port-allocation.ts'
import type { HeldPort } from './port-allocation.ts'
import type { Endpoint, PortRequest, PublishedPort } from './port.ts'
import type { Sandbox } from './state.ts'

/** Reserves all ports, writes the record, then has the firewall send them on; undone if that fails. */
export async function publishPorts(
  context: Context,
  containerId: ContainerId,
  requests: readonly PortRequest[],
): Promise<readonly PublishedPort[]> {
  const { state, holders, firewall } = context
  const sandbox = state.sandbox(containerId)
  if (requests.length === 0) return []
  const targets = portTargets(context, sandbox)
  const families = ([4, 6] as const).filter((family) => targets[family] !== undefined)
  const endpoint = targets[4]?.endpoint ?? targets[6]?.endpoint
  if (endpoint === undefined) throw cannotPublish(context, sandbox)
  const network = state.get(endpoint.networkId)
  const demands = planPorts(requests, {
    containerName: endpoint.containerName,
    held: heldPorts(context, containerId),
    families,
    defaultHostIp: bridgeSettings(network.name, network.options).hostBindingIpv4,
  })
  const published = holders.take(containerId, demands)
  const rules: readonly PortRule[] = published.map((port) => ({
    ...port,
    containerIp: targets[familyOf(port.hostIp)]?.address ?? '',
  }))
  state.saveSandbox({ ...sandbox, ports: [...sandbox.ports, ...rules] })
  try {
    await firewall.addPorts(rules)
    return published
  } catch (error) {
    unpublishPorts(context, containerId)
    throw during(`publish ports of ${endpoint.containerName}`, error)
  }
}

function familyOf(address: string): 4 | 6 {
  return isIPv4(address) ? 4 : 6
}

interface PortTarget {
  readonly endpoint: Endpoint
  readonly address: string
}

/** Where published ports of each family go: to the endpoint with the default route, for answers leave by that. */
function portTargets({ state }: Context, { endpoints }: Sandbox): Readonly<Record<4 | 6, PortTarget | undefined>> {
  const targetOf = (family: 4 | 6) => {
    const endpoint = gatewayEndpoint(endpoints, family)
    if (endpoint === undefined || state.networks.get(endpoint.networkId)?.driver !== 'bridge') return undefined
    return { endpoint, address: family === 4 ? endpoint.ipAddress : endpoint.ipv6Address }
  }
  return { 4: targetOf(4), 6: targetOf(6) }
}

function cannotPublish({ state }: Context, { containerId, endpoints }: Sandbox) {
  const shared = endpoints.find(({ networkId }) => isParentDriver(state.networks.get(networkId)?.driver ?? ''))
  const what = `container ${containerId.slice(0, 12)} has ports to publish`
  if (shared !== undefined)
    return networkError(
      'network.unsupported',
      `${what}, but its default route is on network ${shared.networkName}, which is not a bridge`,
      { hint: `It answers at its own address there (${shared.ipAddress || shared.ipv6Address}): publish nothing.` },
    )
  return networkError('network.invalid', `${what}, but no network with a way out`, {
    hint: 'Attach it to a network that is not internal.',
  })
}

/** Ports follow the default route when it moves to another network; those that have nowhere to go end. */
export async function movePorts(context: Context, containerId: ContainerId): Promise<void> {
  const { state, firewall, holders } = context
  const sandbox = state.sandboxes.get(containerId)
  if (sandbox === undefined || sandbox.ports.length === 0) return
  const targets = portTargets(context, sandbox)
  const planned = sandbox.ports.map((old) => {
    const containerIp = targets[familyOf(old.hostIp)]?.address
    return { old, moved: containerIp === undefined ? undefined : { ...old, containerIp } }
  })
  const changed = planned.filter(({ old, moved }) => moved?.containerIp !== old.containerIp)
  if (changed.length === 0) return
  const kept = planned.flatMap(({ moved }) => moved ?? [])
  state.saveSandbox({ ...sandbox, ports: kept })
  firewall.removePorts(changed.map(({ old }) => old))
  if (kept.length < sandbox.ports.length) {
    holders.release(containerId)
    holders.retake(containerId, kept)
  }
  await firewall.addPorts(changed.flatMap(({ moved }) => moved ?? []))
}

function heldPorts({ state }: Context, except: ContainerId): readonly HeldPort[] {
  return [...state.sandboxes.values()]
    .filter(({ containerId }) => containerId !== except)
    .flatMap(({ ports, endpoints }) =>
      ports.map((port) => ({ ...port, containerName: endpoints[0]?.containerName ?? 'unknown' })),
    )
}

export function unpublishPorts({ state, firewall, holders }: Context, containerId: ContainerId): void {
  holders.release(containerId)
  const sandbox = state.sandboxes.get(containerId)
  if (sandbox === undefined || sandbox.ports.length === 0) return
  firewall.removePorts(sandbox.ports)
  state.saveSandbox({ ...sandbox, ports: [] })
}
