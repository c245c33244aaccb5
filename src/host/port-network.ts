/** Network namespaces that are kept alive by a bind mount on a file (the pin), as `ip netns` does. */
export interface NamespacePort {
  /** Makes a network namespace and pins it at `pinPath` (an empty file is made there; its directory must exist). Loopback stays down. */
  createNetwork(pinPath: string): void
  /** Pins the network namespace of a running process: after a restart in another mount namespace the old pins are out of sight. */
  pinNetworkOf(pid: number, pinPath: string): void
  /** True if a namespace is pinned there, as this process sees it. */
  isPinned(pinPath: string): boolean
  /** Unmounts and removes the pin; absent is fine. The namespace ends with its last process and socket. */
  removeNetwork(pinPath: string): void
  /**
   * Runs `work` with the calling thread inside the namespace and comes back, whatever happens. `work` must be synchronous:
   * whatever it defers runs in the namespace of the daemon.
   */
  inNetwork<T>(pinPath: string, work: () => T): T
  /** The namespaces of a process, undefined when it is gone. */
  read(pid: number): ProcessNamespaces | undefined
}

/** Inode texts such as `net:[4026531840]`: equal texts, same namespace. */
export interface ProcessNamespaces {
  readonly pid: string
  readonly mnt: string
  readonly net: string
  readonly uts: string
  readonly ipc: string
  readonly user: string
  readonly cgroup: string
}

/** Links, addresses and routes over rtnetlink. Addresses are written with their prefix: `172.18.0.1/16`, `fd00::1/64`. */
export interface LinkPort {
  createBridge(options: BridgeOptions): void
  /** Absent is fine. */
  deleteLink(name: string): void
  listLinks(): readonly LinkEntry[]
  listAddresses(): readonly AddressEntry[]
  listRoutes(): readonly RouteEntry[]
  /** One veth pair: the host's end in the bridge, the other inside the namespace, configured and up. Nothing is left on failure. */
  attachContainer(options: ContainerAttachment): void
  /**
   * A link inside the namespace that shares the parent's wire: no bridge, no end on the host. `host.unsupported` when the kernel has no
   * such kind of link. Nothing is left on failure.
   */
  attachShared(options: SharedAttachment): void
  /** A link for one VLAN of another link (802.1Q), up. `host.unsupported` as above. */
  createVlan(options: { readonly name: string; readonly parent: string; readonly vlanId: number }): void
  /**
   * Takes the host's end out of its bridge and down, at once: its address is free. The pair goes with the namespace. For a container
   * that has ended; deleting the pair here and now (`detachContainer`) holds up the caller for about 20 ms. Absent is fine.
   */
  retireContainer(hostName: string): void
  /** Removes the pair by its host's end; absent is fine. */
  detachContainer(hostName: string): void
  /** As `deleteLink`, inside a namespace. Waits about 20 ms. */
  deleteLinkIn(netnsPin: string, name: string): void
  /** Takes a link inside a namespace down; absent is fine. */
  setDown(name: string, netnsPin: string): void
  /** Adds (or replaces) a route, inside `netnsPin` if given. */
  addRoute(options: RouteOptions): void
  deleteRoute(options: RouteOptions): void
  /** Adds an address to a link; the same address twice is fine. */
  addAddress(name: string, address: string, netnsPin?: string): void
  /** Of a link of the host. The link, or the address, absent: fine. */
  removeAddress(name: string, address: string): void
  /**
   * Has br_netfilter show what passes between ports of this bridge to the rules for IP, whatever is set for all bridges. Where the kernel has no
   * br_netfilter it changes nothing.
   */
  filterBridged(name: string): void
  setLoopbackUp(netnsPin: string): void
  setUp(name: string, netnsPin?: string): void
  /** Counters of a link, as that end sees them; undefined when there is no such link. */
  counters(name: string, netnsPin?: string): LinkCounters | undefined
  /** Counters of all links of the host, by name, in one question. */
  allCounters(): ReadonlyMap<string, LinkCounters & Pick<LinkEntry, 'kind' | 'isUp'>>
  /** The link of the default route with its MTU; undefined on a machine without one. */
  uplink(): Uplink | undefined
}

export interface BridgeOptions {
  /** At most 15 bytes. */
  readonly name: string
  readonly mtu: number
  readonly addresses: readonly string[]
  readonly mac?: string
}

export interface ContainerAttachment {
  readonly netnsPin: string
  readonly bridge: string
  /** Name of the end on the host. */
  readonly hostName: string
  /** Name inside the container, `eth0`. */
  readonly guestName: string
  readonly mac: string
  readonly addresses: readonly string[]
  /** Default routes, IPv4 and IPv6. */
  readonly gateways?: readonly string[]
  readonly mtu: number
  /** Lets a container reach itself through its own published port when br_netfilter is on. */
  readonly hairpin?: boolean
  /** Ports of one bridge that are isolated cannot talk to each other. */
  readonly isolated?: boolean
}

export interface SharedAttachment {
  readonly netnsPin: string
  /** Link of the daemon's namespace. */
  readonly parent: string
  readonly kind: 'macvlan' | 'ipvlan'
  /** macvlan: bridge, private, vepa, passthru. ipvlan: l2, l3, l3s. */
  readonly mode: 'bridge' | 'private' | 'vepa' | 'passthru' | 'l2' | 'l3' | 'l3s'
  /** ipvlan only. */
  readonly flag?: 'bridge' | 'private' | 'vepa'
  readonly guestName: string
  /** macvlan only: an ipvlan link has its parent's. */
  readonly mac?: string
  readonly addresses: readonly string[]
  readonly gateways?: readonly string[]
  /** Default routes of these families straight onto the link, without a gateway. */
  readonly onLinkFamilies?: readonly (4 | 6)[]
  readonly mtu?: number
}

export interface RouteOptions {
  /** `default`, `10.0.0.0/8`, `fd00::/64` */
  readonly destination: string
  readonly via?: string
  readonly link?: string
  /** Of a default route without `via`; default 4. */
  readonly family?: 4 | 6
  readonly netnsPin?: string
}

export interface LinkEntry {
  readonly index: number
  readonly name: string
  /** `bridge`, `veth`, ...; undefined for a physical link. */
  readonly kind: string | undefined
  readonly mac: string
  readonly mtu: number
  readonly isUp: boolean
  /** Index of the bridge it is a port of. */
  readonly masterIndex: number | undefined
}

export interface AddressEntry {
  readonly linkIndex: number
  /** With prefix length. */
  readonly address: string
}

export interface RouteEntry {
  readonly family: 4 | 6
  /** `0.0.0.0/0` or `::/0` for a default route. */
  readonly destination: string
  readonly via: string | undefined
  readonly linkIndex: number | undefined
  readonly metric: number
}

export interface LinkCounters {
  readonly rxBytes: number
  readonly rxPackets: number
  readonly rxErrors: number
  readonly rxDropped: number
  readonly txBytes: number
  readonly txPackets: number
  readonly txErrors: number
  readonly txDropped: number
}

export interface Uplink {
  readonly name: string
  readonly index: number
  readonly mtu: number
}

export interface NftablesPort {
  /** Feeds `nft -f -`: one transaction, all or nothing. The error carries nft's own message. */
  apply(script: string): Promise<void>
  /** The text of a table as `nft list table` prints it (with `# handle N` behind each rule if asked for); undefined when there is none. */
  listTable(family: NftFamily, name: string, options?: { readonly hasHandles?: boolean }): Promise<string | undefined>
  /** One set or map of a table, printed likewise. */
  listSet(family: NftFamily, table: string, name: string): Promise<string | undefined>
  /** `family name` of every table. */
  listTables(): Promise<readonly { readonly family: NftFamily; readonly name: string }[]>
  /** Absent is fine. */
  deleteTable(family: NftFamily, name: string): Promise<void>
}

export type NftFamily = 'ip' | 'ip6' | 'inet' | 'bridge' | 'arp' | 'netdev'

/** Sockets made and bound inside a namespace, as descriptors to hand to `dgram.bind({ fd })` or `server.listen({ fd })`. Close-on-exec. */
export interface SocketPort {
  /** Who made the connection at the other end of a unix socket (SO_PEERCRED of unix(7)); undefined when it is none, or out of our sight. */
  peer(fd: number): SocketPeer | undefined
  boundUdp(options: SocketOptions): BoundSocket
  listeningTcp(options: SocketOptions & { readonly backlog?: number }): BoundSocket
  /** For a connection that shall begin inside a namespace: `new net.Socket({ fd, pauseOnCreate: true })`, then `connect`. */
  boundTcp(options: SocketOptions): BoundSocket
  /**
   * Reserves a port of the host without answering on it. `host.address_in_use` when somebody has it. Where the kernel has no SCTP
   * sockets nobody can have an SCTP port, and nothing is held.
   */
  reservePort(options: SocketOptions & { readonly protocol: 'tcp' | 'udp' | 'sctp' }): BoundSocket & Disposable
}

/** As they were when the connection was made, and as our own namespaces number them. */
export interface SocketPeer {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

export interface SocketOptions {
  /** Without it: the namespace of the daemon. */
  readonly netnsPin?: string
  /** IPv4 or IPv6 literal. */
  readonly address: string
  /** 0 lets the kernel choose. */
  readonly port: number
}

export interface BoundSocket {
  readonly fd: number
  readonly port: number
}
