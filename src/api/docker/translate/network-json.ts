import type { ContainerRecord } from '#engine/containers'
import type { Network } from '#engine/network'

/** Came with the choice to have none. */
const FIRST_MINOR_WITH_IPV4 = 48

/** On a network that a client made as an overlay of the swarm: the bridge that it is on this machine. Never shown. */
export const OVERLAY_LABEL = 'io.glovebox.swarm.overlay'

interface ShownNetwork extends Pick<Network, 'labels'> {
  readonly driver: Network['driver'] | 'overlay'
  readonly scope: 'local' | 'swarm'
}

/** As what clients know it. */
export function shownNetwork(network: Network): ShownNetwork {
  const { [OVERLAY_LABEL]: overlay, ...labels } = network.labels
  return overlay === undefined
    ? { driver: network.driver, labels, scope: 'local' }
    : { driver: 'overlay', labels, scope: 'swarm' }
}

/** Network of the API description. `records`: all containers, for those that are on it; the list leaves them out. `more`: what only networks of a swarm have. */
export function networkJson(
  network: Network,
  records: readonly ContainerRecord[],
  minor: number,
  more: Readonly<Record<string, unknown>> = {},
) {
  const { driver, labels, scope } = shownNetwork(network)
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: scope,
    Driver: driver,
    ...(minor >= FIRST_MINOR_WITH_IPV4 ? { EnableIPv4: network.hasIpv4 } : {}),
    EnableIPv6: network.hasIpv6,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: network.subnets.map((subnet) => ({
        Subnet: subnet.subnet,
        ...(subnet.ipRange === null ? {} : { IPRange: subnet.ipRange }),
        ...(subnet.gateway === '' ? {} : { Gateway: subnet.gateway }),
        ...(Object.keys(subnet.auxiliaryAddresses).length === 0 ? {} : { AuxiliaryAddresses: subnet.auxiliaryAddresses }),
      })),
    },
    Internal: network.isInternal,
    Attachable: network.isAttachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(records.flatMap((record) => endpointOf(network, record))),
    Options: network.options,
    Labels: labels,
    ...more,
  }
}

function endpointOf(network: Network, record: ContainerRecord) {
  if (record.status.state !== 'running' && record.status.state !== 'paused') return []
  // Who has the host's network or none has no link of its own, and nothing else to tell.
  const isBare = (network.driver === 'host' || network.driver === 'null') && record.spec.network.mode === network.name
  if (isBare)
    return [[record.id, { Name: record.name, EndpointID: '', MacAddress: '', IPv4Address: '', IPv6Address: '' }] as const]
  return Object.values(record.status.endpoints)
    .filter((endpoint) => endpoint.networkId === network.id)
    .map((endpoint) => {
      const json = {
        Name: record.name,
        EndpointID: endpoint.endpointId,
        MacAddress: endpoint.macAddress,
        IPv4Address: withPrefix(endpoint.ipAddress, endpoint.ipPrefixLength),
        IPv6Address: withPrefix(endpoint.ipv6Address, endpoint.ipv6PrefixLength),
      }
      return [record.id, json] as const
    })
}

function withPrefix(address: string, length: number): string {
  return address === '' ? '' : `${address}/${length}`
}
