import { mkdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

import { keyedLocks } from '#base'
import type { ContainerId } from '#base'

import { addressMemory } from './address-memory.ts'
import { DEFAULT_POOLS, ipv6Pool, poolUse } from './address-pool.ts'
import type { DefaultPool } from './address-pool.ts'
import { createBridges } from './bridges.ts'
import type { Context, NetworksNeeds } from './context.ts'
import { createNetwork, ensurePredefined } from './create-network.ts'
import { deleteLink, retireLink } from './endpoint-links.ts'
import { attachEndpoint, detachEndpoint } from './endpoints.ts'
import { networkError } from './errors.ts'
import { createFirewall } from './firewall.ts'
import { identityFiles } from './identity.ts'
import { createNameService } from './name-service.ts'
import { instanceNames } from './names.ts'
import { isParentDriver } from './parent-options.ts'
import { createParents } from './parents.ts'
import { createPlugs } from './plugs.ts'
import { createPortHolders } from './port-holders.ts'
import type { Endpoint, Networks, PublishedPort } from './port.ts'
import { publishPorts, unpublishPorts } from './publish-ports.ts'
import { recoverNetworks } from './recover.ts'
import { createReservations } from './reservations.ts'
import { networkState } from './state.ts'
import type { Sandbox } from './state.ts'

export function createNetworks(needs: NetworksNeeds): Networks {
  const names = instanceNames(needs.instance)
  const pools = poolsOf(needs.addressPools ?? [], names)
  const context = wire(needs, names, pools)
  const { state, host, firewall, nameService, bridges, reservations, plugs } = context
  const memory = addressMemory()
  /** One change of a container's network at a time; the engine's own lock usually sees to that already. */
  const locks = keyedLocks()

  const endpointOn = (containerId: ContainerId, reference: string): Endpoint | undefined => {
    const network = state.get(reference)
    return state.sandboxes.get(containerId)?.endpoints.find(({ networkId }) => networkId === network.id)
  }
  const removeSandbox = async (containerId: ContainerId) => {
    const sandbox = state.sandboxes.get(containerId)
    nameService.stop(containerId)
    unpublishPorts(context, containerId)
    for (const endpoint of sandbox?.endpoints ?? []) retireLink(context, endpoint)
    host.namespaces.removeNetwork(context.pinOf(containerId))
    state.deleteSandbox(containerId)
    await Promise.resolve()
  }
  return {
    create: (spec) => {
      const network = createNetwork(context, spec, pools)
      needs.onEvent?.('create', network)
      return network
    },
    remove: async (reference) => {
      const network = state.get(reference)
      if (network.isPredefined)
        throw networkError('network.predefined', `${network.name} is a pre-defined network and cannot be removed`)
      const attached = state.endpoints(network.id)
      if (attached.length > 0)
        throw networkError(
          'network.in_use',
          `network ${network.name} has active endpoints: ${attached.map(({ containerName }) => containerName).join(', ')}`,
          {
            hint: 'Stop or disconnect these containers first.',
          },
        )
      if (isParentDriver(network.driver)) context.parents.release(network)
      state.deleteNetwork(network.id)
      reservations.forget(network.id)
      needs.onEvent?.('destroy', network)
      await bridges.remove(network)
      return network
    },
    get: (reference) => state.get(reference),
    find: (reference) => state.find(reference),
    list: () => [...state.networks.values()],
    endpoints: (networkId) => state.endpoints(networkId),
    recover: async ({ pidOf }) => {
      ensurePredefined(context, pools)
      await recoverNetworks(context, pidOf)
    },
    sandboxCreate: (containerId, { nameServers = [] } = {}) => {
      const pin = context.pinOf(containerId)
      if (state.sandboxes.has(containerId)) dropLinks(context, containerId)
      host.namespaces.removeNetwork(pin)
      mkdirSync(join(pin, '..'), { recursive: true, mode: 0o711 })
      host.namespaces.createNetwork(pin)
      host.links.setLoopbackUp(pin)
      state.saveSandbox({ containerId, nameServers, endpoints: [], ports: [] })
      return pin
    },
    sandboxPath: (containerId) => (state.sandboxes.has(containerId) ? context.pinOf(containerId) : undefined),
    sandboxRemove: (containerId) => locks.run(containerId, () => removeSandbox(containerId)),
    attach: (request) => locks.run(request.containerId, () => attachEndpoint(context, memory, request)),
    detach: (containerId, reference, { mustExist = false } = {}) =>
      locks.run(containerId, async () => {
        const endpoint = endpointOn(containerId, reference)
        if (endpoint !== undefined) return await detachEndpoint(context, containerId, endpoint)
        if (mustExist)
          throw networkError(
            'network.not_attached',
            `container ${containerId.slice(0, 12)} is not connected to network ${reference}`,
          )
      }),
    endpointsOf: (containerId) => state.sandboxes.get(containerId)?.endpoints ?? [],
    publish: (containerId, ports) => locks.run(containerId, () => publishPorts(context, containerId, ports)),
    unpublish: (containerId) => unpublishPorts(context, containerId),
    publishedPorts: (containerId) => (state.sandboxes.get(containerId)?.ports ?? []).map(publishedPort),
    rename: (containerId, name) => {
      const renamed = (endpoint: Endpoint): Endpoint => ({
        ...endpoint,
        containerName: name,
        dnsNames: endpoint.dnsNames.map((one) => (one === endpoint.containerName ? name : one)),
      })
      const sandbox = state.sandboxes.get(containerId)
      if (sandbox !== undefined) state.saveSandbox({ ...sandbox, endpoints: sandbox.endpoints.map(renamed) })
    },
    statistics: (containerId) => statisticsOf(context, state.sandboxes.get(containerId)),
    identityFiles: (containerId, options) => identityFiles(context, containerId, options),
    reserve: (reference, owner) => {
      const network = state.get(reference)
      return reservations.reserve(network, owner, state.endpoints(network.id))
    },
    release: (networkId, owner) => {
      const network = state.networks.get(networkId)
      if (network !== undefined) reservations.release(network, owner)
    },
    reservations: () => reservations.list(),
    answerServices: (services) => {
      plugs.services = services
      void (services?.ready ?? Promise.resolve()).then(plugs.openNames)
    },
    beforeUse: (prepare) => void (plugs.beforeUse = prepare),
    onUnanswered: (listener) => void (plugs.unanswered = listener),
    poolUse: () =>
      poolUse(
        pools[4],
        bridges.taken().map(({ cidr }) => cidr),
      ),
    tableName: names.table,
    shutdown: async ({ remove }) => {
      nameService.stopAll()
      for (const containerId of state.sandboxes.keys()) context.holders.release(containerId)
      await firewall.settle()
      if (!remove) return
      for (const network of state.networks.values()) {
        if (network.bridge !== '') host.links.deleteLink(network.bridge)
        if (isParentDriver(network.driver)) context.parents.release(network)
      }
      // The kernel ends a link with its namespace, but some time later: whoever looks after the end finds nothing.
      for (const { name } of host.links.listLinks()) if (name.startsWith(names.linkPrefix)) host.links.deleteLink(name)
      await firewall.removeAll([...state.networks.values()].map(({ bridge }) => bridge))
      const tables = await host.nftables.listTables()
      for (const { family, name } of tables) if (name.startsWith(names.table)) await host.nftables.deleteTable(family, name)
    },
  }
}

function poolsOf(given: readonly DefaultPool[], names: Context['names']): Parameters<typeof createNetwork>[2] {
  const ofFamily = (family: 4 | 6) => given.filter(({ first }) => isIP(first) === family)
  const [v4, v6] = [ofFamily(4), ofFamily(6)]
  return { 4: v4.length > 0 ? v4 : DEFAULT_POOLS, 6: v6.length > 0 ? v6 : [ipv6Pool(names.digits)] }
}

function wire(needs: NetworksNeeds, names: Context['names'], pools: Parameters<typeof createNetwork>[2]): Context {
  const { host, clock, random, log, runDir } = needs
  const state = networkState(needs.records)
  const pinOf = (containerId: ContainerId) => join(runDir, 'netns', containerId)
  const readResolvConf = needs.readResolvConf ?? (() => readFileSync('/etc/resolv.conf', 'utf8'))
  const firewall = createFirewall({ host, names, clock, log })
  const reservations = createReservations({ records: needs.records, links: host.links })
  const plugs = createPlugs(clock, needs.awaitsServices ?? false)
  return {
    ...needs,
    names,
    state,
    pinOf,
    readResolvConf,
    firewall,
    reservations,
    plugs,
    bridges: createBridges({ host, names, state, firewall, reservations, log, pools }),
    parents: createParents({ host, names, state, log }),
    holders: createPortHolders({ host, random, log }),
    nameService: createNameService({ host, state, plugs, clock, random, log, pinOf, readResolvConf }),
  }
}

/** What an earlier life of the same container left, should nobody have cleaned up after it. */
function dropLinks(context: Context, containerId: ContainerId): void {
  const { state, nameService } = context
  nameService.stop(containerId)
  unpublishPorts(context, containerId)
  for (const endpoint of state.sandboxes.get(containerId)?.endpoints ?? []) deleteLink(context, endpoint)
  state.deleteSandbox(containerId)
}

function publishedPort({ hostIp, hostPort, containerPort, protocol }: PublishedPort): PublishedPort {
  return { hostIp, hostPort, containerPort, protocol }
}

/** What the host's end received is what the container sent. */
function statisticsOf({ host, pinOf }: Context, sandbox: Sandbox | undefined): ReturnType<Networks['statistics']> {
  const entries = (sandbox?.endpoints ?? []).flatMap(({ hostLink, guestLink, containerId }) => {
    const seen = hostLink === '' ? undefined : host.links.counters(hostLink)
    // Without an end on the host there is only the container's own.
    const own = hostLink === '' ? host.links.counters(guestLink, pinOf(containerId)) : undefined
    if (own !== undefined) return [[guestLink, own] as const]
    if (seen === undefined) return []
    return [
      [
        guestLink,
        {
          rxBytes: seen.txBytes,
          rxPackets: seen.txPackets,
          rxErrors: seen.txErrors,
          rxDropped: seen.txDropped,
          txBytes: seen.rxBytes,
          txPackets: seen.rxPackets,
          txErrors: seen.rxErrors,
          txDropped: seen.rxDropped,
        },
      ] as const,
    ]
  })
  return Object.fromEntries(entries)
}
