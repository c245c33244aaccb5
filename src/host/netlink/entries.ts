import type { AddressEntry, LinkCounters, LinkEntry, RouteEntry } from '../port-network.ts'
import { AF, formatAddress, formatMac } from '../address.ts'
import { decodeAttributes } from './message.ts'
import type { NetlinkReply } from './message.ts'
import { IFA, IFF_UP, IFLA, IFLA_INFO, RT_TABLE_MAIN, RTA, RTN_UNICAST } from './requests.ts'

const RTA_PRIORITY = 6
const RTA_TABLE = 15

export function linkOf({ body }: NetlinkReply): LinkEntry {
  const attributes = decodeAttributes(body.subarray(16))
  const info = attributes.get(IFLA.linkinfo)
  return {
    index: body.readInt32LE(4),
    name: textOf(attributes.get(IFLA.ifname)) ?? '',
    kind: info === undefined ? undefined : textOf(decodeAttributes(info).get(IFLA_INFO.kind)),
    mac: formatMac(attributes.get(IFLA.address) ?? Buffer.alloc(6)),
    mtu: attributes.get(IFLA.mtu)?.readUInt32LE(0) ?? 0,
    isUp: (body.readUInt32LE(8) & IFF_UP) !== 0,
    masterIndex: attributes.get(IFLA.master)?.readUInt32LE(0),
  }
}

const IFLA_STATS64 = 23

/** struct rtnl_link_stats64: packets, bytes, errors and drops, each received and sent. */
export function countersOf({ body }: NetlinkReply): LinkCounters | undefined {
  const stats = decodeAttributes(body.subarray(16)).get(IFLA_STATS64)
  if (stats === undefined || stats.length < 64) return undefined
  const figure = (at: number) => Number(stats.readBigUInt64LE(at * 8))
  return {
    rxPackets: figure(0),
    txPackets: figure(1),
    rxBytes: figure(2),
    txBytes: figure(3),
    rxErrors: figure(4),
    txErrors: figure(5),
    rxDropped: figure(6),
    txDropped: figure(7),
  }
}

/** As `countersOf`, of one link among hundreds: a message has some sixty attributes, of which this looks at three. */
export function namedCountersOf({ body }: NetlinkReply): (LinkCounters & Pick<LinkEntry, 'name' | 'kind' | 'isUp'>) | undefined {
  let name: string | undefined
  let kind: string | undefined
  let stats = 0
  for (let at = 16; at + 4 <= body.length;) {
    const length = body.readUInt16LE(at)
    if (length < 4 || at + length > body.length) break
    const type = body.readUInt16LE(at + 2) & NLA_TYPE_MASK
    if (type === IFLA.ifname) name = textOf(body.subarray(at + 4, at + length))
    else if (type === IFLA_STATS64 && length >= 4 + STATS_BYTES) stats = at + 4
    else if (type === IFLA.linkinfo) kind = textOf(decodeAttributes(body.subarray(at + 4, at + length)).get(IFLA_INFO.kind))
    at += (length + 3) & ~3
  }
  if (name === undefined || stats === 0) return undefined
  // As two halves: numbers of 64 bits make an object each.
  const figure = (at: number) => body.readUInt32LE(stats + at * 8) + body.readUInt32LE(stats + at * 8 + 4) * 2 ** 32
  return {
    name,
    kind,
    isUp: (body.readUInt32LE(8) & IFF_UP) !== 0,
    rxPackets: figure(0),
    txPackets: figure(1),
    rxBytes: figure(2),
    txBytes: figure(3),
    rxErrors: figure(4),
    txErrors: figure(5),
    rxDropped: figure(6),
    txDropped: figure(7),
  }
}

const NLA_TYPE_MASK = 0x3fff
const STATS_BYTES = 64

export function addressOf({ body }: NetlinkReply): AddressEntry | undefined {
  const attributes = decodeAttributes(body.subarray(8))
  // On point-to-point links the plain address is the other end's; the local one is ours.
  const bytes = attributes.get(IFA.local) ?? attributes.get(IFA.address)
  if (bytes === undefined) return undefined
  return { linkIndex: body.readInt32LE(4), address: `${formatAddress(bytes)}/${body.readUInt8(1)}` }
}

/** Unicast routes of the main table; the kernel's own tables of local addresses are left out. */
export function routeOf({ body }: NetlinkReply): RouteEntry | undefined {
  const family = body.readUInt8(0)
  const attributes = decodeAttributes(body.subarray(12))
  const table = attributes.get(RTA_TABLE)?.readUInt32LE(0) ?? body.readUInt8(4)
  if (table !== RT_TABLE_MAIN || body.readUInt8(7) !== RTN_UNICAST || (family !== AF.inet && family !== AF.inet6))
    return undefined
  const isIpv4 = family === AF.inet
  const destination = attributes.get(RTA.destination)
  const gateway = attributes.get(RTA.gateway)
  return {
    family: isIpv4 ? 4 : 6,
    destination: `${destination === undefined ? (isIpv4 ? '0.0.0.0' : '::') : formatAddress(destination)}/${body.readUInt8(1)}`,
    via: gateway === undefined ? undefined : formatAddress(gateway),
    linkIndex: attributes.get(RTA.outLink)?.readUInt32LE(0),
    metric: attributes.get(RTA_PRIORITY)?.readUInt32LE(0) ?? 0,
  }
}

function textOf(bytes: Buffer | undefined): string | undefined {
  return bytes?.toString('utf8').replace(/\0.*$/s, '')
}
