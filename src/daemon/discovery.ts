import { isIPv6 } from 'node:net'

import { isKind, type Clock, type Log } from '#base'
import type { NodePort } from '#cluster/agent'
import type { Networks } from '#engine/network'
import type { Host } from '#host'
import { startDiscovery, type Discovery, type DiscoveryNetworks } from '#traffic/discovery'
import type { NftPort } from '#traffic/ruleset'

import { containerOwner } from './cluster-sight.ts'
import { clusterAsDiscovered, type SourceNeeds } from './discovery-source.ts'

export interface DiscoveryWiring extends SourceNeeds {
  readonly networks: Networks
  readonly host: Host
  readonly clock: Clock
  readonly log: Log
}

/** Names and addresses of services on this machine's networks. */
export function openDiscovery(wiring: DiscoveryWiring): Discovery {
  const { networks, host, clock, log, containers, mirror } = wiring
  const discovery = startDiscovery({
    source: clusterAsDiscovered(wiring),
    networks: discoveryNetworks(networks, host),
    nft: nftOf(host),
    table: `${networks.tableName}_services`,
    clock,
    log,
  })
  const stackOf = (containerId: string) => {
    const record = containers.list().find(({ id }) => id === containerId)
    return record === undefined ? null : (containerOwner(record, mirror)?.application ?? null)
  }
  networks.answerServices({
    ready: discovery.ready,
    resolve: ({ containerId, networks: on, name }) =>
      discovery.names().resolve({ stack: stackOf(containerId), networks: on, name }),
    reverse: (networkId, address) => discovery.names().reverse(networkId, address),
  })
  discovery.trigger()
  return discovery
}

export function nftOf({ nftables }: Pick<Host, 'nftables'>): NftPort & { list(table: string): Promise<string | undefined> } {
  return {
    apply: async (script) => await nftables.apply(script),
    tables: async () => (await nftables.listTables()).filter(({ family }) => family === 'inet').map(({ name }) => name),
    deleteTable: async (name) => await nftables.deleteTable('inet', name),
    list: async (name) => await nftables.listTable('inet', name),
  }
}

export function discoveryNetworks(networks: Networks, host: Host): DiscoveryNetworks {
  return {
    reserve: (name, owner) => {
      try {
        const reservation = networks.reserve(name, owner)
        const bridge = networks.find(name)?.bridge ?? ''
        if (reservation === undefined || bridge === '') return undefined
        const { networkId, ipv4Address: ipv4, ipv6Address: ipv6 } = reservation
        return { networkId, bridge, ipv4, ipv6 }
      } catch (error) {
        if (isKind(error, 'not_found')) return undefined
        throw error
      }
    },
    release: (networkId, owner) => {
      const network = networks.list().find(({ id }) => id === networkId)
      if (network !== undefined) networks.release(network.id, owner)
    },
    reservations: () => networks.reservations(),
    idOf: (name) => networks.find(name)?.id,
    seesNeighbours: () => host.kernel.facts().hasBridgeNetfilter,
    forget: (addresses, which) => {
      for (const family of [4, 6] as const) {
        const repliesFrom = addresses.filter((address) => isIPv6(address) === (family === 6))
        const to = which === 'all' ? {} : { to: { protocol: 'udp' as const, ports: [] } }
        if (repliesFrom.length > 0) host.netfilter.forgetConnections({ family, repliesFrom, ...to })
      }
    },
  }
}

/** A node that takes a task out of all names and addresses before it is told to end: nothing new is lost on it. */
export function withdrawingNode(node: NodePort, discovery: () => Discovery | undefined): NodePort {
  const around = async (id: string, work: () => Promise<void>) => {
    using _withdrawn = await discovery()?.withdraw(id)
    await work()
  }
  return {
    ...node,
    stopTask: async (id) => await around(id, async () => await node.stopTask(id)),
    removeTask: async (id) => await around(id, async () => await node.removeTask(id)),
  }
}
