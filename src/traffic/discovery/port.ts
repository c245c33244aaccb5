/** Where the loop learns which services there are. Whoever runs the services implements it. */
export interface DiscoverySource {
  /** All of them, as of now. One that is left out is gone: its addresses are given back. */
  services(): Promise<readonly DiscoveredService[]>
  /** Called whenever `services` may answer differently; `changed` does not throw. */
  listen(changed: () => void): Disposable
}

export interface DiscoveredService {
  /** Of the service in the cluster; absent: nobody asks for it by that. */
  readonly id?: string
  /** Its application; null: it stands alone. */
  readonly stack: string | null
  readonly name: string
  /** `vip`: one address for each network, spread by the kernel. `dnsrr`: the addresses of all ready tasks. */
  readonly endpointMode: 'vip' | 'dnsrr'
  /** By the networks' names. */
  readonly networks: readonly { readonly name: string; readonly aliases: readonly string[] }[]
  readonly tasks: readonly DiscoveredTask[]
}

export interface DiscoveredTask {
  /** Of its container. */
  readonly id: string
  /** It has a process, and addresses that are its own. */
  readonly isRunning: boolean
  /** It shall get new connections. */
  readonly isReady: boolean
  /** Of both families, by the network's name. */
  readonly addresses: Readonly<Record<string, readonly string[]>>
}

/** What is needed of the networks of this machine. */
export interface DiscoveryNetworks {
  /** Undefined: not there (yet), or one whose services cannot have an address of their own. */
  reserve(network: string, owner: string): VirtualAddress | undefined
  release(networkId: string, owner: string): void
  reservations(): readonly { readonly networkId: string; readonly owner: string }[]
  /** By name; undefined: not there. */
  idOf(network: string): string | undefined
  /** The kernel shows what passes between neighbours on a bridge to the rules for IP. */
  seesNeighbours(): boolean
  /** Has connection tracking forget what these addresses answer: all of it, or what has no connections of its own (UDP). */
  forget(addresses: readonly string[], which: 'all' | 'udp'): void
}

/** Texts are empty where the network has no such family. */
export interface VirtualAddress {
  readonly networkId: string
  /** Link whose neighbours may use it. */
  readonly bridge: string
  readonly ipv4: string
  readonly ipv6: string
}

/** Where a service is reached on a network, for people and for the policy. */
export interface ServiceAddress {
  /** As in `DiscoveredService`. */
  readonly id?: string
  readonly stack: string | null
  readonly service: string
  readonly network: string
  readonly networkId: string
  readonly aliases: readonly string[]
  /** Empty: the name is answered with the tasks' addresses. */
  readonly virtual: readonly string[]
  /** Of its ready tasks. */
  readonly backends: readonly string[]
}
