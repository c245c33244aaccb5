import type { TaskRecord } from '#cluster/model'
import type { Network } from '#engine/network'

import { shownNetwork } from '../translate/network-json.ts'

/**
 * NetworkAttachment: the networks of swarm mode as its own API has them, with the addresses that the task has there. The node's default network is not told of: who is
 * in it asked for none.
 */
export function attachmentsJson({ status }: TaskRecord, networks: readonly Network[]) {
  return Object.entries(status.addresses).flatMap(([name, address]) => {
    const network = networks.find((one) => one.name === name)
    if (network === undefined || network.isPredefined || address === '') return []
    return [{ Network: swarmNetworkJson(network), Addresses: [`${address}${prefixOf(network)}`] }]
  })
}

function prefixOf({ subnets }: Network): string {
  const subnet = subnets.find(({ family }) => family === 4)?.subnet
  return subnet === undefined ? '' : subnet.slice(subnet.indexOf('/'))
}

function swarmNetworkJson(network: Network) {
  const { driver, labels, scope } = shownNetwork(network)
  const Configs = network.subnets.map(({ subnet, gateway }) => ({
    Subnet: subnet,
    ...(gateway === '' ? {} : { Gateway: gateway }),
  }))
  return {
    ID: network.id,
    CreatedAt: network.createdAt,
    UpdatedAt: network.createdAt,
    Spec: {
      Name: network.name,
      Labels: labels,
      DriverConfiguration: { Name: driver },
      ...(network.hasIpv6 ? { IPv6Enabled: true } : {}),
      ...(network.isInternal ? { Internal: true } : {}),
      ...(network.isAttachable ? { Attachable: true } : {}),
      Scope: scope,
    },
    DriverState: { Name: driver },
    IPAMOptions: { Driver: { Name: 'default' }, Configs },
  }
}
