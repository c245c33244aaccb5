import { invariant } from '#base'
import { hostError } from '../errors.ts'
import type { ForwardChain, ForwardingPort } from '../port-forwarding.ts'
import type { NetfilterPort } from '../port-netfilter.ts'
import type {
  AddressEntry,
  LinkEntry,
  LinkPort,
  NamespacePort,
  NftablesPort,
  NftFamily,
  RouteEntry,
  SocketPort,
  Uplink,
} from '../port-network.ts'
import { linuxSockets } from '../sockets.ts'
import { lazySyscalls } from '../syscalls.ts'
import type { Recorder } from './record.ts'

export interface FakeNetwork {
  readonly namespaces: NamespacePort
  readonly links: LinkPort
  readonly nftables: NftablesPort
  readonly netfilter: NetfilterPort
  readonly forwarding: ForwardingPort
  readonly sockets: SocketPort
  /** Pins that exist now. */
  readonly pins: ReadonlySet<string>
  /** Tables that were made by a script: `inet name`. */
  readonly tables: ReadonlyMap<string, string>
}

export interface FakeNetworkOptions {
  readonly uplink?: Uplink
  readonly addresses?: readonly AddressEntry[]
  readonly routes?: readonly RouteEntry[]
  readonly forwardChains?: readonly ForwardChain[]
}

const NO_TRAFFIC = {
  rxBytes: 0,
  rxPackets: 0,
  rxErrors: 0,
  rxDropped: 0,
  txBytes: 0,
  txPackets: 0,
  txErrors: 0,
  txDropped: 0,
}

/** Links, pins and tables as plain sets; sockets are real ones, but on a port of this machine's loopback that the kernel chooses. */
export function fakeNetwork({ record }: Recorder, options: FakeNetworkOptions): FakeNetwork {
  const pins = new Set<string>()
  const links = new Map<string, LinkEntry>()
  const uplink = options.uplink ?? { name: 'eth0', index: 2, mtu: 1500 }
  const addLink = (name: string, kind: string, mac: string, mtu: number) => {
    if (links.has(name))
      throw hostError('host.link_failed', `create link ${name}: it exists already`, { details: { errno: 'EEXIST' } })
    links.set(name, { index: links.size + 10, name, kind, mac, mtu, isUp: true, masterIndex: undefined })
  }
  const needPin = (pin: string | undefined) => {
    if (pin !== undefined && !pins.has(pin))
      throw hostError('host.namespace_failed', `enter the network namespace ${pin}: ENOENT`, { details: { errno: 'ENOENT' } })
  }
  const tables = new Map<string, string>()
  return {
    pins,
    tables,
    namespaces: {
      createNetwork: (pin) => {
        record('namespaces.createNetwork', pin)
        pins.add(pin)
      },
      pinNetworkOf: (pid, pin) => {
        record('namespaces.pinNetworkOf', pid, pin)
        pins.add(pin)
      },
      isPinned: (pin) => pins.has(pin),
      removeNetwork: (pin) => {
        record('namespaces.removeNetwork', pin)
        pins.delete(pin)
      },
      inNetwork: (pin, work) => {
        needPin(pin)
        return work()
      },
      read: (pid) =>
        Object.fromEntries(
          ['pid', 'mnt', 'net', 'uts', 'ipc', 'user', 'cgroup'].map((kind) => [kind, `${kind}:[${pid}]`]),
        ) as Record<'pid' | 'mnt' | 'net' | 'uts' | 'ipc' | 'user' | 'cgroup', string>,
    },
    links: {
      createBridge: (bridge) => {
        record('links.createBridge', bridge)
        addLink(bridge.name, 'bridge', bridge.mac ?? '02:00:00:00:00:01', bridge.mtu)
      },
      deleteLink: (name) => {
        record('links.deleteLink', name)
        links.delete(name)
      },
      listLinks: () => [
        { ...uplink, kind: undefined, mac: '02:00:00:00:00:02', isUp: true, masterIndex: undefined },
        ...links.values(),
      ],
      listAddresses: () => options.addresses ?? [],
      listRoutes: () => options.routes ?? [],
      attachContainer: (attachment) => {
        record('links.attachContainer', attachment)
        needPin(attachment.netnsPin)
        addLink(attachment.hostName, 'veth', attachment.mac, attachment.mtu)
      },
      attachShared: (attachment) => {
        record('links.attachShared', attachment)
        needPin(attachment.netnsPin)
      },
      createVlan: (vlan) => {
        record('links.createVlan', vlan)
        addLink(vlan.name, 'vlan', '02:00:00:00:00:03', 1500)
      },
      deleteLinkIn: (pin, name) => record('links.deleteLinkIn', pin, name),
      setDown: (name, pin) => record('links.setDown', name, pin),
      retireContainer: (hostName) => {
        record('links.retireContainer', hostName)
        links.delete(hostName)
      },
      detachContainer: (hostName) => {
        record('links.detachContainer', hostName)
        links.delete(hostName)
      },
      addRoute: (route) => record('links.addRoute', route),
      deleteRoute: (route) => record('links.deleteRoute', route),
      addAddress: (name, address, pin) => record('links.addAddress', name, address, pin),
      removeAddress: (name, address) => record('links.removeAddress', name, address),
      filterBridged: (name) => record('links.filterBridged', name),
      setLoopbackUp: (pin) => record('links.setLoopbackUp', pin),
      setUp: (name, pin) => record('links.setUp', name, pin),
      counters: (name) => (links.has(name) ? NO_TRAFFIC : undefined),
      allCounters: () => new Map([...links.values()].map(({ name, kind, isUp }) => [name, { ...NO_TRAFFIC, kind, isUp }])),
      uplink: () => uplink,
    },
    nftables: {
      apply: async (script) => {
        record('nftables.apply', script)
        for (const [, family = '', name = ''] of script.matchAll(/^(?:add )?table (\w+) (\S+)/gm))
          tables.set(`${family} ${name}`, script)
        for (const [, family = '', name = ''] of script.matchAll(/^delete table (\w+) (\S+)\s*$(?![\s\S]*^table \1 \2)/gm))
          tables.delete(`${family} ${name}`)
      },
      listTable: async (family, name) => tables.get(`${family} ${name}`),
      listSet: async () => undefined,
      listTables: async () =>
        [...tables.keys()].map((key) => {
          const [family, name] = key.split(' ')
          invariant(family !== undefined && name !== undefined, `table key ${key}`)
          return { family: family as NftFamily, name }
        }),
      deleteTable: async (family, name) => {
        record('nftables.deleteTable', family, name)
        tables.delete(`${family} ${name}`)
      },
    },
    forwarding: fakeForwarding(record, options.forwardChains ?? []),
    netfilter: {
      redirectLocal: (redirection) => {
        record('netfilter.redirectLocal', redirection)
        needPin(redirection.netnsPin)
      },
      forgetConnections: (filter) => {
        record('netfilter.forgetConnections', filter)
        return 0
      },
    },
    sockets: fakeSockets(record, needPin),
  }
}

function fakeForwarding(record: Recorder['record'], given: readonly ForwardChain[]): ForwardingPort {
  let chains = given
  const change = (chain: ForwardChain, allowedOf: (old: readonly string[]) => readonly string[]) => {
    chains = chains.map((one) =>
      one.family === chain.family && one.backend === chain.backend ? { ...one, allowed: allowedOf(one.allowed) } : one,
    )
  }
  return {
    chains: async () => chains,
    allow: async (chain, links) => {
      record('forwarding.allow', chain, links)
      change(chain, (old) => [...new Set([...old, ...links])])
    },
    disallow: async (chain, links) => {
      record('forwarding.disallow', chain, links)
      change(chain, (old) => old.filter((link) => !links.includes(link)))
    },
  }
}

function fakeSockets(record: Recorder['record'], needPin: (pin: string | undefined) => void): SocketPort {
  const held = new Set<string>()
  const real = linuxSockets(lazySyscalls(), {
    inNetwork: () => {
      throw hostError('host.unsupported', 'a fake host has no other namespaces')
    },
  })
  // A reservation is only remembered. A descriptor beyond any limit: using it by mistake fails with EBADF.
  let nextFd = 1_000_000
  let nextPort = 40_000
  const bind = (
    name: string,
    options: Parameters<SocketPort['boundUdp']>[0],
    protocol: string,
    { isKept } = { isKept: true },
  ) => {
    record(name, options)
    needPin(options.netnsPin)
    const port = options.port === 0 ? (nextPort += 1) : options.port
    const key = `${options.netnsPin ?? ''} ${protocol} ${options.address} ${port}`
    if (held.has(key))
      throw hostError('host.address_in_use', `bind ${options.address}:${port}/${protocol}: the address is in use`, {
        details: { errno: 'EADDRINUSE' },
      })
    // Who closes a real descriptor does not tell us, so only reservations are in each other's way.
    if (isKept) held.add(key)
    return { fd: (nextFd += 1), port, [Symbol.dispose]: () => void held.delete(key) }
  }
  return {
    peer: (fd) => real.peer(fd),
    boundUdp: (options) => {
      const { port } = bind('sockets.boundUdp', options, 'udp', { isKept: false })
      return { fd: real.boundUdp({ address: '127.0.0.1', port: 0 }).fd, port }
    },
    listeningTcp: (options) => {
      const { port } = bind('sockets.listeningTcp', options, 'tcp', { isKept: false })
      return { fd: real.listeningTcp({ address: '127.0.0.1', port: 0 }).fd, port }
    },
    boundTcp: (options) => {
      const { port } = bind('sockets.boundTcp', options, 'tcp', { isKept: false })
      return { fd: real.boundTcp({ address: '127.0.0.1', port: 0 }).fd, port }
    },
    reservePort: (options) => bind('sockets.reservePort', options, options.protocol),
  }
}
