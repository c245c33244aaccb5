import type { BridgeOptions, ContainerAttachment, RouteOptions, SharedAttachment } from '../port-network.ts'
import { addressFamily, parseAddress, parseMac, parsePrefixed } from '../address.ts'
import { hostError } from '../errors.ts'
import { attribute, nested, NLM_F, RTM, text, uint16, uint32, uint8 } from './message.ts'
import type { NetlinkRequest } from './message.ts'

/** linux/if_link.h and linux/if_addr.h */
const IFLA = { address: 1, ifname: 3, mtu: 4, link: 5, master: 10, linkinfo: 18, netNsFd: 28 } as const
const IFLA_INFO = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 } as const
const VETH_INFO_PEER = 1
const IFLA_BR_STP_STATE = 5
const IFLA_BR_NF_CALL = { iptables: 36, ip6tables: 37 } as const
const IFLA_BRPORT = { mode: 4, isolated: 33 } as const
const IFA = { address: 1, local: 2, flags: 8 } as const
const IFA_F_NODAD = 2
const IFF_UP = 1
const RTA = { destination: 1, outLink: 4, gateway: 5 } as const
const RT_TABLE_MAIN = 254
const RTPROT_BOOT = 3
const RT_SCOPE_UNIVERSE = 0
const RT_SCOPE_LINK = 253
const RTN_UNICAST = 1

const CREATE = NLM_F.request | NLM_F.ack | NLM_F.create | NLM_F.exclusive
const CHANGE = NLM_F.request | NLM_F.ack

/** struct ifinfomsg */
function linkHeader(options: { readonly family?: number; readonly index?: number; readonly isUp?: boolean }): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt8(options.family ?? 0, 0)
  header.writeInt32LE(options.index ?? 0, 4)
  if (options.isUp !== undefined) {
    header.writeUInt32LE(options.isUp ? IFF_UP : 0, 8)
    header.writeUInt32LE(IFF_UP, 12)
  }
  return header
}

export function createBridgeRequest({ name, mtu, mac }: BridgeOptions): NetlinkRequest {
  const body = [
    linkHeader({ isUp: true }),
    text(IFLA.ifname, name),
    uint32(IFLA.mtu, mtu),
    ...(mac === undefined ? [] : [attribute(IFLA.address, parseMac(mac))]),
    nested(IFLA.linkinfo, text(IFLA_INFO.kind, 'bridge'), nested(IFLA_INFO.data, uint32(IFLA_BR_STP_STATE, 0))),
  ]
  return { type: RTM.newLink, flags: CREATE, body: Buffer.concat(body) }
}

/** The bridge's own flags for br_netfilter: they count whatever the sysctls for all bridges say. */
export function filterBridgedRequest(name: string): NetlinkRequest {
  const data = nested(IFLA_INFO.data, uint8(IFLA_BR_NF_CALL.iptables, 1), uint8(IFLA_BR_NF_CALL.ip6tables, 1))
  const body = [linkHeader({}), text(IFLA.ifname, name), nested(IFLA.linkinfo, text(IFLA_INFO.kind, 'bridge'), data)]
  return { type: RTM.newLink, flags: CHANGE, body: Buffer.concat(body) }
}

export function deleteLinkRequest(name: string): NetlinkRequest {
  return { type: RTM.deleteLink, flags: CHANGE, body: Buffer.concat([linkHeader({}), text(IFLA.ifname, name)]) }
}

export function getLinkRequest(name: string): NetlinkRequest {
  return { type: RTM.getLink, flags: NLM_F.request | NLM_F.ack, body: Buffer.concat([linkHeader({}), text(IFLA.ifname, name)]) }
}

/**
 * Both ends of a veth in one message: the host's as a port of the bridge, the other born inside the namespace behind the descriptor.
 * The other end cannot be up yet: it is opened before the two know each other (ENOTCONN).
 */
export function createVethRequest(attachment: ContainerAttachment, bridgeIndex: number, netnsFd: number): NetlinkRequest {
  const peer = Buffer.concat([
    linkHeader({}),
    text(IFLA.ifname, attachment.guestName),
    attribute(IFLA.address, parseMac(attachment.mac)),
    uint32(IFLA.mtu, attachment.mtu),
    uint32(IFLA.netNsFd, netnsFd),
  ])
  const body = [
    linkHeader({ isUp: true }),
    text(IFLA.ifname, attachment.hostName),
    uint32(IFLA.mtu, attachment.mtu),
    uint32(IFLA.master, bridgeIndex),
    nested(IFLA.linkinfo, text(IFLA_INFO.kind, 'veth'), nested(IFLA_INFO.data, attribute(VETH_INFO_PEER, peer))),
  ]
  return { type: RTM.newLink, flags: CREATE, body: Buffer.concat(body) }
}

/** Options of a bridge port, which the kernel takes only once the link is one. */
export function bridgePortRequest(
  name: string,
  options: { readonly hairpin: boolean; readonly isolated: boolean },
): NetlinkRequest {
  const body = [
    linkHeader({}),
    text(IFLA.ifname, name),
    nested(
      IFLA.linkinfo,
      text(IFLA_INFO.slaveKind, 'bridge'),
      nested(
        IFLA_INFO.slaveData,
        uint8(IFLA_BRPORT.mode, options.hairpin ? 1 : 0),
        uint8(IFLA_BRPORT.isolated, options.isolated ? 1 : 0),
      ),
    ),
  ]
  return { type: RTM.newLink, flags: CHANGE, body: Buffer.concat(body) }
}

/** linux/if_link.h */
const IFLA_MACVLAN_MODE = 1
const IFLA_IPVLAN = { mode: 1, flags: 2 } as const
const IFLA_VLAN_ID = 1
const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const
const IPVLAN_MODES = { l2: 0, l3: 1, l3s: 2 } as const
const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const

/** A link that is born inside the namespace behind the descriptor, on a parent that stays outside. */
export function createSharedRequest(attachment: SharedAttachment, parentIndex: number, netnsFd: number): NetlinkRequest {
  const { kind, mode, flag = 'bridge', mac, mtu, guestName } = attachment
  const modes: Readonly<Record<string, number>> = kind === 'macvlan' ? MACVLAN_MODES : IPVLAN_MODES
  const chosen = modes[mode]
  if (chosen === undefined) throw hostError('host.link_failed', `a link of kind ${kind} has no mode ${mode}`)
  const info =
    kind === 'macvlan'
      ? [uint32(IFLA_MACVLAN_MODE, chosen)]
      : [uint16(IFLA_IPVLAN.mode, chosen), ...(flag === 'bridge' ? [] : [uint16(IFLA_IPVLAN.flags, IPVLAN_FLAGS[flag])])]
  const body = [
    linkHeader({}),
    text(IFLA.ifname, guestName),
    uint32(IFLA.link, parentIndex),
    uint32(IFLA.netNsFd, netnsFd),
    ...(mtu === undefined ? [] : [uint32(IFLA.mtu, mtu)]),
    ...(mac === undefined || kind === 'ipvlan' ? [] : [attribute(IFLA.address, parseMac(mac))]),
    nested(IFLA.linkinfo, text(IFLA_INFO.kind, kind), nested(IFLA_INFO.data, ...info)),
  ]
  return { type: RTM.newLink, flags: CREATE, body: Buffer.concat(body) }
}

export function createVlanRequest(name: string, parentIndex: number, vlanId: number): NetlinkRequest {
  const body = [
    linkHeader({ isUp: true }),
    text(IFLA.ifname, name),
    uint32(IFLA.link, parentIndex),
    nested(IFLA.linkinfo, text(IFLA_INFO.kind, 'vlan'), nested(IFLA_INFO.data, uint16(IFLA_VLAN_ID, vlanId))),
  ]
  return { type: RTM.newLink, flags: CREATE, body: Buffer.concat(body) }
}

export function setDownRequest(index: number): NetlinkRequest {
  return { type: RTM.newLink, flags: CHANGE, body: linkHeader({ index, isUp: false }) }
}

/** Out of its bridge and down. */
export function retireLinkRequest(name: string): NetlinkRequest {
  const body = [linkHeader({ isUp: false }), text(IFLA.ifname, name), uint32(IFLA.master, 0)]
  return { type: RTM.newLink, flags: CHANGE, body: Buffer.concat(body) }
}

export function setUpRequest(index: number): NetlinkRequest {
  return { type: RTM.newLink, flags: CHANGE, body: linkHeader({ index, isUp: true }) }
}

export function addAddressRequest(index: number, prefixed: string): NetlinkRequest {
  const { family, bytes, prefixLength } = parsePrefixed(prefixed)
  const header = Buffer.alloc(8)
  header.writeUInt8(addressFamily(family), 0)
  header.writeUInt8(prefixLength, 1)
  header.writeUInt32LE(index, 4)
  const body = [
    header,
    attribute(IFA.local, bytes),
    attribute(IFA.address, bytes),
    // Nobody else can hold an address that our own pool gave out: do not make the container wait for the proof.
    ...(family === 6 ? [uint32(IFA.flags, IFA_F_NODAD)] : []),
  ]
  return { type: RTM.newAddress, flags: NLM_F.request | NLM_F.ack | NLM_F.create | NLM_F.replace, body: Buffer.concat(body) }
}

export function deleteAddressRequest(index: number, prefixed: string): NetlinkRequest {
  const { family, bytes, prefixLength } = parsePrefixed(prefixed)
  const header = Buffer.alloc(8)
  header.writeUInt8(addressFamily(family), 0)
  header.writeUInt8(prefixLength, 1)
  header.writeUInt32LE(index, 4)
  const body = Buffer.concat([header, attribute(IFA.local, bytes), attribute(IFA.address, bytes)])
  return { type: RTM.deleteAddress, flags: CHANGE, body }
}

export interface IndexedRoute {
  readonly destination: string
  readonly via?: string
  readonly linkIndex?: number
  /** Of a default route that has no gateway to tell it. */
  readonly family?: 4 | 6
}

export function addRouteRequest(route: IndexedRoute): NetlinkRequest {
  return { type: RTM.newRoute, flags: NLM_F.request | NLM_F.ack | NLM_F.create | NLM_F.replace, body: routeBody(route) }
}

export function deleteRouteRequest(route: IndexedRoute): NetlinkRequest {
  return { type: RTM.deleteRoute, flags: CHANGE, body: routeBody(route) }
}

function routeBody({ destination, via, linkIndex, family: wanted }: IndexedRoute): Buffer {
  const gateway = via === undefined ? undefined : parseAddress(via)
  const isDefault = destination === 'default'
  const target = isDefault ? undefined : parsePrefixed(destination)
  const family = target?.family ?? wanted ?? (gateway?.length === 16 ? 6 : 4)
  const header = Buffer.alloc(12)
  header.writeUInt8(addressFamily(family), 0)
  header.writeUInt8(target?.prefixLength ?? 0, 1)
  header.writeUInt8(RT_TABLE_MAIN, 4)
  header.writeUInt8(RTPROT_BOOT, 5)
  header.writeUInt8(gateway === undefined && family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, 6)
  header.writeUInt8(RTN_UNICAST, 7)
  return Buffer.concat([
    header,
    ...(target === undefined ? [] : [attribute(RTA.destination, target.bytes)]),
    ...(gateway === undefined ? [] : [attribute(RTA.gateway, gateway)]),
    ...(linkIndex === undefined ? [] : [uint32(RTA.outLink, linkIndex)]),
  ])
}

export function dumpRequest(kind: 'links' | 'addresses' | 'routes'): NetlinkRequest {
  const flags = NLM_F.request | NLM_F.dump
  if (kind === 'links') return { type: RTM.getLink, flags, body: linkHeader({}) }
  return kind === 'addresses'
    ? { type: RTM.getAddress, flags, body: Buffer.alloc(8) }
    : { type: RTM.getRoute, flags, body: Buffer.alloc(12) }
}

/** What the fields of requests are called in error messages. */
export function describeRoute(route: RouteOptions): string {
  return `${route.destination}${route.via === undefined ? '' : ` via ${route.via}`}${route.link === undefined ? '' : ` on ${route.link}`}`
}

export { IFLA, IFLA_INFO, IFA, IFF_UP, RTA, RT_TABLE_MAIN, RTN_UNICAST }
