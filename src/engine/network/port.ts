import type { ContainerId, EndpointId, NetworkId } from '#base'

/**
 * Container networks of one machine: bridges with their addresses, the network namespaces of containers (sandboxes), published
 * ports and name service. Everything survives a restart of the daemon; `recover` sweeps what belongs to no running container.
 */
export interface Networks {
  /** `network.name_in_use`, `network.subnet_in_use`, `network.pools_exhausted`, `network.invalid`, `network.unsupported`. Makes no bridge yet: that appears with its first container. */
  create(spec: NetworkSpec): Network
  /** By name, id, or unambiguous start of an id. `network.in_use` while endpoints are attached; `network.predefined` for bridge, host and none. */
  remove(reference: string): Promise<Network>
  /** `network.not_found`, `network.ambiguous`. */
  get(reference: string): Network
  find(reference: string): Network | undefined
  list(): readonly Network[]
  /** Endpoints that are attached now. */
  endpoints(networkId: NetworkId): readonly Endpoint[]

  /**
   * Makes the default networks, removes sandboxes of containers that no longer run, and gives those that do their name service, ports and
   * firewall rules back. Call once at start, before anything else.
   */
  recover(options: {
    /** Pid of the container's first process; null when it does not run. */
    readonly pidOf: (containerId: ContainerId) => number | null
  }): Promise<void>

  /** A network namespace for a container, loopback up. Gives the path to hand to the OCI runtime. One that is there already is replaced. */
  sandboxCreate(containerId: ContainerId, options?: SandboxOptions): string
  /** Where `sandboxCreate` put it; undefined when there is none. */
  sandboxPath(containerId: ContainerId): string | undefined
  /** Detaches, unpublishes and removes the namespace. Absent is fine. */
  sandboxRemove(containerId: ContainerId): Promise<void>

  /** Connects a sandbox (running or about to) to a network. `network.already_attached`, `network.address_in_use`, `network.pool_exhausted`. */
  attach(request: AttachRequest): Promise<Endpoint>
  /** By network name or id. Not attached is fine unless `mustExist`. */
  detach(containerId: ContainerId, network: string, options?: { readonly mustExist?: boolean }): Promise<void>
  /** In the order of attachment. */
  endpointsOf(containerId: ContainerId): readonly Endpoint[]

  /**
   * Publishes ports of a container through the network that has its default route. All or none. `network.port_in_use` names the
   * container or process that is in the way.
   */
  publish(containerId: ContainerId, ports: readonly PortRequest[]): Promise<readonly PublishedPort[]>
  /** Returns at once; the rules go in the background, several at a time. */
  unpublish(containerId: ContainerId): void
  publishedPorts(containerId: ContainerId): readonly PublishedPort[]

  /** After a container was renamed: answers to the new name. */
  rename(containerId: ContainerId, name: string): void
  /** Traffic counters of each endpoint by the link's name in the container, seen from the container. */
  statistics(containerId: ContainerId): Readonly<Record<string, LinkStatistics>>
  /** Contents of /etc/resolv.conf, /etc/hosts and /etc/hostname for a sandbox whose networks are attached. */
  identityFiles(containerId: ContainerId, options: IdentityOptions): IdentityFiles

  /**
   * Addresses of a network that no container gets, for `owner`; the host answers for them on the network's bridge, now or once there is one. The same
   * at each call, and after restarts. Undefined: such a network has none (no bridge of ours, or containers that must not talk to each other).
   * `network.not_found`, `network.pool_exhausted`.
   */
  reserve(network: string, owner: string): Reservation | undefined
  /** Absent is fine. Reservations go with their network, too. */
  release(networkId: NetworkId, owner: string): void
  reservations(): readonly Reservation[]
  /** From now on asked before the names of containers; null: nobody is. Names wait for it where `NetworksNeeds` says that it comes. */
  answerServices(names: ServiceNames | null): void
  /** Called with each endpoint of a container before `attach` is done: what it waits for is in place when the container's first process starts. */
  beforeUse(prepare: (endpoint: Endpoint) => Promise<void>): void
  /** Called with each name that a container asked for in vain; must not throw. */
  onUnanswered(listener: UnansweredListener): void
  /** Subnets of the address pools that networks without one of their own get, and how many of them are left. */
  poolUse(): PoolUse
  /** Name of the nft table (family inet) of this instance. Tables that belong to it, and go with it, have names that begin so. */
  readonly tableName: string

  /** Stops answering names. With `remove` also takes down bridges and firewall rules (no container may run any more). */
  shutdown(options: { readonly remove: boolean }): Promise<void>
}

export type NetworkDriver = 'bridge' | 'host' | 'null' | 'macvlan' | 'ipvlan'

export interface NetworkSpec {
  readonly name: string
  /** Default `bridge`. */
  readonly driver?: string
  /** No way out and no way in. */
  readonly isInternal?: boolean
  readonly isAttachable?: boolean
  /** Default true. */
  readonly hasIpv4?: boolean
  readonly hasIpv6?: boolean
  /** What is left out is chosen. */
  readonly subnets?: readonly SubnetSpec[]
  /** `com.docker.network.*`; see docs/design/network.md for those that are known. */
  readonly options?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
}

export interface SubnetSpec {
  /** `172.28.0.0/16` */
  readonly subnet?: string
  readonly gateway?: string
  /** Containers get addresses from here only. */
  readonly ipRange?: string
  /** Addresses that are never given out, by the name of what has them. */
  readonly auxiliaryAddresses?: Readonly<Record<string, string>>
}

/** `unknown`: nobody has that name. `silent`: whoever would know does not answer. */
export type UnansweredListener = (containerId: ContainerId, name: string, kind: 'unknown' | 'silent') => void

export interface PoolUse {
  readonly total: number
  readonly used: number
  /** One line for each pool. */
  readonly ranges: readonly string[]
}

export interface Network {
  readonly id: NetworkId
  readonly name: string
  readonly driver: NetworkDriver
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string
  readonly isInternal: boolean
  readonly isAttachable: boolean
  readonly hasIpv4: boolean
  readonly hasIpv6: boolean
  /** bridge, host or none: always there. */
  readonly isPredefined: boolean
  readonly subnets: readonly Subnet[]
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Name of the link on the host; empty for all but bridge networks. */
  readonly bridge: string
  /** The parent link of a macvlan or ipvlan network was made for it and goes with it. */
  readonly hasOwnParent?: boolean
}

export interface Subnet {
  readonly family: 4 | 6
  readonly subnet: string
  readonly gateway: string
  readonly ipRange: string | null
  readonly auxiliaryAddresses: Readonly<Record<string, string>>
  /** Chosen by us: may be chosen anew while nothing uses it. */
  readonly isAutomatic: boolean
}

export interface SandboxOptions {
  /** Name servers to ask for foreign names instead of the host's (`--dns`). */
  readonly nameServers?: readonly string[]
}

/** Texts are empty where the network has no such family. */
export interface Reservation {
  readonly networkId: NetworkId
  readonly owner: string
  readonly ipv4Address: string
  readonly ipv6Address: string
}

/** Names that are not one container's. */
export interface ServiceNames {
  /** No name is answered before, but for a bounded time: those of containers would stand in for those of services. Absent: at once. */
  readonly ready?: Promise<void>
  /** All addresses behind the name, of both families. Undefined: it is none of a service. Empty: a service with nobody to answer. */
  resolve(question: ServiceQuestion): readonly string[] | undefined
  /** The full name of an address, without the network's. */
  reverse(networkId: NetworkId, address: string): string | undefined
}

export interface ServiceQuestion {
  readonly containerId: ContainerId
  /** Those that the container is in, in its order. */
  readonly networks: readonly { readonly id: NetworkId; readonly name: string }[]
  /** In lower case, without the final dot. */
  readonly name: string
}

export interface AttachRequest {
  readonly containerId: ContainerId
  readonly containerName: string
  /** Resolved on user-defined networks too. */
  readonly hostname?: string
  /** Name or id. */
  readonly network: string
  readonly ipv4Address?: string | null
  readonly ipv6Address?: string | null
  readonly macAddress?: string | null
  readonly aliases?: readonly string[]
  /** Names that only this container uses for others on the network. */
  readonly links?: readonly EndpointLink[]
  /** The endpoint of highest priority has the default route; default 0. */
  readonly gatewayPriority?: number
  /** Further addresses, 169.254.0.0/16 and fe80::/10 only. */
  readonly linkLocalAddresses?: readonly string[]
  /** `com.docker.network.endpoint.*`; another one is refused. */
  readonly driverOptions?: Readonly<Record<string, string>>
}

export interface EndpointLink {
  readonly alias: string
  /** Any name that the other container has on the network. */
  readonly target: string
}

/** Texts are empty where the network has no such family. */
export interface Endpoint {
  readonly networkId: NetworkId
  readonly networkName: string
  readonly endpointId: EndpointId
  readonly containerId: ContainerId
  readonly containerName: string
  readonly gateway: string
  readonly ipAddress: string
  readonly ipPrefixLength: number
  readonly ipv6Gateway: string
  readonly ipv6Address: string
  readonly ipv6PrefixLength: number
  readonly macAddress: string
  readonly aliases: readonly string[]
  /** What the name service answers for it; empty on the default bridge. */
  readonly dnsNames: readonly string[]
  readonly links: readonly EndpointLink[]
  readonly gatewayPriority: number
  /** Its default route needs no gateway (ipvlan in the modes l3 and l3s). */
  readonly isRoutedOnLink: boolean
  /** Empty when there is no end on the host (macvlan, ipvlan). */
  readonly hostLink: string
  readonly guestLink: string
}

export interface PortRequest {
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** Empty: every address. */
  readonly hostIp: string
  /** null: a random one; a range tries each in turn. */
  readonly hostPort: { readonly first: number; readonly last: number } | null
}

export interface PublishedPort {
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
}

export interface LinkStatistics {
  readonly rxBytes: number
  readonly rxPackets: number
  readonly rxErrors: number
  readonly rxDropped: number
  readonly txBytes: number
  readonly txPackets: number
  readonly txErrors: number
  readonly txDropped: number
}

export interface IdentityOptions {
  readonly hostname: string
  readonly domainname?: string
  /** `--dns`, `--dns-search`, `--dns-option`; empty means what the host has. */
  readonly nameServers?: readonly string[]
  readonly searchDomains?: readonly string[]
  readonly resolverOptions?: readonly string[]
  /** `host:ip`; `host-gateway` stands for the gateway. */
  readonly extraHosts?: readonly string[]
}

export interface IdentityFiles {
  readonly resolvConf: string
  readonly hosts: string
  readonly hostname: string
}
