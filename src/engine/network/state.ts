import { invariant } from '#base'
import type { ContainerId, NetworkId, RecordStore } from '#base'

import { nameIndex } from './dns/name-index.ts'
import type { NameIndex } from './dns/name-index.ts'
import type { NameServerPorts } from './dns/server.ts'
import { networkError } from './errors.ts'
import type { PortRule } from './nft-plan.ts'
import type { Endpoint, Network } from './port.ts'

/** What a container's network consists of while the container runs. Kept as one record, written at every change. */
export interface Sandbox {
  readonly containerId: ContainerId
  /** `--dns`: whom to ask for foreign names. */
  readonly nameServers: readonly string[]
  /** In the order of attachment. */
  readonly endpoints: readonly Endpoint[]
  readonly ports: readonly PortRule[]
  /** Where its name server listens; absent before it has one. */
  readonly nameServer?: NameServerPorts
}

/** Everything that is known, in memory and on disk alike. */
export interface NetworkState {
  readonly networks: ReadonlyMap<NetworkId, Network>
  readonly sandboxes: ReadonlyMap<ContainerId, Sandbox>
  readonly index: NameIndex
  find(reference: string): Network | undefined
  get(reference: string): Network
  saveNetwork(network: Network): void
  deleteNetwork(id: NetworkId): void
  sandbox(containerId: ContainerId): Sandbox
  saveSandbox(sandbox: Sandbox): void
  deleteSandbox(containerId: ContainerId): void
  endpoints(networkId: NetworkId): readonly Endpoint[]
  /** Changes what an endpoint is, keeping its place. */
  replaceEndpoint(endpoint: Endpoint): void
}

export function networkState(records: RecordStore): NetworkState {
  const networkTable = records.table<Network>('network')
  const sandboxTable = records.table<Sandbox>('network_sandbox')
  const networks = new Map(networkTable.entries().map(([, network]) => [network.id, network]))
  const sandboxes = new Map(sandboxTable.entries().map(([, sandbox]) => [sandbox.containerId, complete(sandbox)]))
  const index = nameIndex()
  for (const { endpoints } of sandboxes.values()) for (const endpoint of endpoints) index.add(endpoint)
  const find = (reference: string) => findNetwork([...networks.values()], reference)
  const sandboxOf = (containerId: ContainerId) => {
    const found = sandboxes.get(containerId)
    if (found === undefined)
      throw networkError('network.no_sandbox', `container ${containerId.slice(0, 12)} has no network namespace of its own`, {
        hint: 'It is not running, or shares the network of the host or of another container.',
      })
    return found
  }
  const saveSandbox = (sandbox: Sandbox) => {
    for (const endpoint of sandboxes.get(sandbox.containerId)?.endpoints ?? []) index.remove(endpoint)
    sandboxTable.note(sandbox.containerId, sandbox)
    sandboxes.set(sandbox.containerId, sandbox)
    for (const endpoint of sandbox.endpoints) index.add(endpoint)
  }
  return {
    networks,
    sandboxes,
    index,
    find,
    get: (reference) => {
      const network = find(reference)
      if (network === undefined) throw networkError('network.not_found', `network ${reference} not found`)
      return network
    },
    saveNetwork: (network) => {
      networkTable.put(network.id, network)
      networks.set(network.id, network)
    },
    deleteNetwork: (id) => {
      networkTable.delete(id)
      networks.delete(id)
    },
    sandbox: sandboxOf,
    saveSandbox,
    deleteSandbox: (containerId) => {
      for (const endpoint of sandboxes.get(containerId)?.endpoints ?? []) index.remove(endpoint)
      sandboxTable.forget(containerId)
      sandboxes.delete(containerId)
    },
    endpoints: (networkId) =>
      [...sandboxes.values()].flatMap(({ endpoints }) => endpoints.filter((one) => one.networkId === networkId)),
    replaceEndpoint: (endpoint) => {
      const sandbox = sandboxes.get(endpoint.containerId)
      invariant(sandbox !== undefined, `endpoint ${endpoint.endpointId} belongs to a sandbox`)
      const replaced = sandbox.endpoints.map((one) => (one.endpointId === endpoint.endpointId ? endpoint : one))
      saveSandbox({ ...sandbox, endpoints: replaced })
    },
  }
}

/** What a record of an earlier version lacks. */
function complete(sandbox: Sandbox): Sandbox {
  const absent = { links: [], gatewayPriority: 0, isRoutedOnLink: false }
  return { ...sandbox, endpoints: sandbox.endpoints.map((endpoint) => Object.assign({}, absent, endpoint)) }
}

/** As Docker's clients expect: the whole id, then the name, then the start of an id if only one begins so. */
export function findNetwork(networks: readonly Network[], reference: string): Network | undefined {
  const exact = networks.find(({ id }) => id === reference) ?? networks.find(({ name }) => name === reference)
  if (exact !== undefined || reference === '') return exact
  const [first, ...others] = networks.filter(({ id }) => id.startsWith(reference))
  if (others.length > 0)
    throw networkError('network.ambiguous', `network ${reference} is ambiguous: ${others.length + 1} ids begin so`, {
      hint: 'Write more digits of the id.',
    })
  return first
}
