import { addressFamily, formatAddress, parseAddress } from '../address.ts'
import type { ConnectionFilter } from '../port-netfilter.ts'
import { attribute, decodeAttributes, nested, NLM_F } from './message.ts'
import type { NetlinkReply, NetlinkRequest } from './message.ts'
import { be16, be32Attribute, netfilterHeader } from './nft-messages.ts'

/** linux/netfilter/nfnetlink_conntrack.h */
const SUBSYSTEM_CONNTRACK = 1
const MESSAGE = { get: 1, delete: 2 } as const
const CTA = { original: 1, reply: 2, id: 12, zone: 18, filter: 25 } as const
const TUPLE = { ip: 1, protocol: 2 } as const
const PROTOCOL = { number: 1, destinationPort: 3 } as const
const FILTER = { original: 1, reply: 2 } as const
/** Which fields of a tuple the kernel shall compare, since Linux 5.8; older ones give everything. */
const FLAG = { source: 1, protocol: 8, destinationPort: 32 } as const
const NUMBERS = { tcp: 6, udp: 17, sctp: 132 } as const
const HEADER_BYTES = 4

/** Asks for the tracked connections that fit, as far as the kernel can tell. What comes back has to be looked at: `isMeant`. */
export function listConnectionsRequest({ family, repliesFrom, to }: ConnectionFilter): NetlinkRequest {
  const [address, ...addresses] = repliesFrom
  const [port, ...ports] = to?.ports ?? []
  const isOneAddress = address !== undefined && addresses.length === 0
  const isOnePort = port !== undefined && ports.length === 0
  const original =
    to === undefined
      ? []
      : [
          attribute(PROTOCOL.number, Buffer.from([NUMBERS[to.protocol]])),
          ...(isOnePort ? [attribute(PROTOCOL.destinationPort, be16(port))] : []),
        ]
  const reply = isOneAddress ? [attribute(sourceOf(family), parseAddress(address))] : []
  const flags = [
    ...(original.length === 0 ? [] : [hostOrder32(FILTER.original, FLAG.protocol | (isOnePort ? FLAG.destinationPort : 0))]),
    ...(reply.length === 0 ? [] : [hostOrder32(FILTER.reply, FLAG.source)]),
  ]
  return {
    type: (SUBSYSTEM_CONNTRACK << 8) | MESSAGE.get,
    flags: NLM_F.request | NLM_F.dump,
    body: Buffer.concat([
      netfilterHeader(addressFamily(family)),
      ...(original.length === 0 ? [] : [nested(CTA.original, nested(TUPLE.protocol, ...original))]),
      ...(reply.length === 0 ? [] : [nested(CTA.reply, nested(TUPLE.ip, ...reply))]),
      ...(flags.length === 0 ? [] : [nested(CTA.filter, ...flags)]),
    ]),
  }
}

/** The flags are in the machine's own order, the one exception in this protocol. */
function hostOrder32(type: number, flags: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(flags)
  return attribute(type, buffer)
}

function sourceOf(family: 4 | 6): number {
  return family === 4 ? 1 : 3
}

export interface TrackedConnection {
  readonly protocol: number
  readonly repliesFrom: string
  readonly toPort: number
  /** The request that has the kernel forget exactly this one. */
  readonly forget: NetlinkRequest
}

export function connectionOf({ body }: NetlinkReply): TrackedConnection | undefined {
  const family = body.readUInt8(0)
  const attributes = decodeAttributes(body.subarray(HEADER_BYTES))
  const [original, reply] = [attributes.get(CTA.original), attributes.get(CTA.reply)]
  if (original === undefined || reply === undefined) return undefined
  const ip = decodeAttributes(decodeAttributes(reply).get(TUPLE.ip) ?? Buffer.alloc(0))
  const protocol = decodeAttributes(decodeAttributes(original).get(TUPLE.protocol) ?? Buffer.alloc(0))
  const source = ip.get(1) ?? ip.get(3)
  if (source === undefined) return undefined
  const zone = attributes.get(CTA.zone)
  const id = attributes.get(CTA.id)
  return {
    protocol: protocol.get(PROTOCOL.number)?.readUInt8(0) ?? 0,
    repliesFrom: formatAddress(source),
    toPort: protocol.get(PROTOCOL.destinationPort)?.readUInt16BE(0) ?? 0,
    forget: {
      type: (SUBSYSTEM_CONNTRACK << 8) | MESSAGE.delete,
      flags: NLM_F.request | NLM_F.ack,
      body: Buffer.concat([
        netfilterHeader(family),
        nested(CTA.original, original),
        ...(zone === undefined ? [] : [attribute(CTA.zone, zone)]),
        // Another connection may have taken the place meanwhile; that one is not meant.
        ...(id === undefined ? [] : [be32Attribute(CTA.id, id.readInt32BE(0))]),
      ]),
    },
  }
}

export function isMeant({ protocol, repliesFrom, toPort }: TrackedConnection, filter: ConnectionFilter): boolean {
  return (
    filter.repliesFrom.includes(repliesFrom) &&
    (filter.to === undefined ||
      (NUMBERS[filter.to.protocol] === protocol && (filter.to.ports.length === 0 || filter.to.ports.includes(toPort))))
  )
}
