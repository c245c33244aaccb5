import { isIPv4 } from 'node:net'

import { during } from '#base'
import type { ContainerId } from '#base'

import type { Context } from './context.ts'
import { networkError } from './errors.ts'
import type { PortRule } from './nft-plan.ts'
import { bridgeSettings } from './options.ts'
import { planPorts } from './port-allocation.ts'
import type { HeldPort } from './port-allocation.ts'
import type { PortRequest, PublishedPort } from './port.ts'

/** Reserves all ports, writes the record, then has the firewall send them on; undone if that fails. */
export async function publishPorts(
  context: Context,
  containerId: ContainerId,
  requests: readonly PortRequest[],
): Promise<readonly PublishedPort[]> {
  const { state, holders, firewall } = context
  const sandbox = state.sandbox(containerId)
  const endpoint = sandbox.endpoints.find(({ endpointId }) => endpointId === sandbox.gatewayEndpointId)
  if (requests.length === 0) return []
  if (endpoint === undefined)
    throw networkError(
      'network.invalid',
      `container ${containerId.slice(0, 12)} has ports to publish, but no network with a way out`,
      {
        hint: 'Attach it to a network that is not internal.',
      },
    )
  const network = state.get(endpoint.networkId)
  const addressOf = (hostIp: string) => (isIPv4(hostIp) ? endpoint.ipAddress : endpoint.ipv6Address)
  const demands = planPorts(requests, {
    containerName: endpoint.containerName,
    held: heldPorts(context, containerId),
    families: [...(endpoint.ipAddress === '' ? [] : [4 as const]), ...(endpoint.ipv6Address === '' ? [] : [6 as const])],
    defaultHostIp: bridgeSettings(network.name, network.options).hostBindingIpv4,
  })
  const published = holders.take(containerId, demands)
  const rules: readonly PortRule[] = published.map((port) => ({ ...port, containerIp: addressOf(port.hostIp) }))
  state.saveSandbox({ ...sandbox, ports: [...sandbox.ports, ...rules] })
  try {
    await firewall.addPorts(rules)
    return published
  } catch (error) {
    unpublishPorts(context, containerId)
    throw during(`publish ports of ${endpoint.containerName}`, error)
  }
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
