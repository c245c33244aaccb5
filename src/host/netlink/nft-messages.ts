import { parseAddress } from '../address.ts'
import type { LocalRedirection } from '../port-netfilter.ts'
import { attribute, nested, NLM_F, text } from './message.ts'
import type { NetlinkRequest } from './message.ts'

/** linux/netfilter/nfnetlink.h and nf_tables.h. Numbers in attributes are in network order, unlike those of rtnetlink. */
const SUBSYSTEM_NFTABLES = 10
const MESSAGE = { newTable: 0, deleteTable: 2, newChain: 3, newRule: 6 } as const
const BATCH_BEGIN = 0x10
const BATCH_END = 0x11
const TABLE_NAME = 1
const CHAIN = { table: 1, name: 3, hook: 4, policy: 5, type: 7 } as const
const HOOK = { number: 1, priority: 2 } as const
const RULE = { table: 1, chain: 2, expressions: 4 } as const
const LIST_ELEMENT = 1
const EXPRESSION = { name: 1, data: 2 } as const
const META = { register: 1, key: 2 } as const
const PAYLOAD_FIELD = { register: 1, base: 2, offset: 3, bytes: 4 } as const
const COMPARE = { register: 1, operation: 2, data: 3 } as const
const IMMEDIATE = { register: 1, data: 2 } as const
const NAT = { type: 1, family: 2, addressRegister: 3, portRegister: 5 } as const
const EQUAL = 0
const DATA = { value: 1, verdict: 2 } as const
const VERDICT_CODE = 1
const REGISTER = { verdict: 0, one: 1, two: 2 } as const
const NF_INET_LOCAL_OUT = 3
/** NF_IP_PRI_NAT_DST, where nft's own `dstnat` stands on the output hook. */
const PRIORITY_NAT = -100
const PRIORITY_FILTER = 0
const NF_DROP = 0
const NF_ACCEPT = 1
const AF_INET = 2
const META_L4PROTO = 16
const PAYLOAD = { network: 1, transport: 2 } as const
const NAT_DESTINATION = 1
const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const
const ICMP_UNREACHABLE = 3
/** Offsets in the IPv4, UDP and TCP headers (RFC 791, 768, 9293). */
const OFFSET = { source: 12, destination: 16, sourcePort: 0, destinationPort: 2 } as const

/** struct nfgenmsg: family, version 0, resource id in network order. */
export function netfilterHeader(family: number, resource = 0): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 0xff])
}

/** nf_tables takes changes as transactions only: these two frame one. */
export function batchFrame(): { readonly begin: NetlinkRequest; readonly end: NetlinkRequest } {
  const body = netfilterHeader(0, SUBSYSTEM_NFTABLES)
  return { begin: { type: BATCH_BEGIN, flags: NLM_F.request, body }, end: { type: BATCH_END, flags: NLM_F.request, body } }
}

/**
 * The messages of a transaction; to be framed by `batchFrame`. Making the table anew is refused (EEXIST) when it is there; replacing it is never, but
 * waits 10 ms and more until no processor looks at the old one.
 */
export function redirectionMessages(
  { table, address, from, udpPort, tcpPort }: LocalRedirection,
  how: 'make' | 'replace',
): readonly NetlinkRequest[] {
  const target = parseAddress(address)
  const nat = (protocol: number, port: number) =>
    ruleMessage(table, 'redirected', [
      ...load(PAYLOAD.network, OFFSET.destination, target),
      ...loadProtocol(protocol),
      ...load(PAYLOAD.transport, OFFSET.destinationPort, be16(from)),
      immediate(REGISTER.one, attribute(DATA.value, target)),
      immediate(REGISTER.two, attribute(DATA.value, be16(port))),
      expression(
        'nat',
        be32Attribute(NAT.type, NAT_DESTINATION),
        be32Attribute(NAT.family, AF_INET),
        be32Attribute(NAT.addressRegister, REGISTER.one),
        be32Attribute(NAT.portRegister, REGISTER.two),
      ),
    ])
  return [
    ...(how === 'make'
      ? [tableMessage(MESSAGE.newTable, table, NLM_F.create | NLM_F.exclusive)]
      : [
          // Deleting a table that is not there fails; adding one that is there does not.
          tableMessage(MESSAGE.newTable, table, NLM_F.create),
          tableMessage(MESSAGE.deleteTable, table, 0),
          tableMessage(MESSAGE.newTable, table, NLM_F.create),
        ]),
    chainMessage(table, 'redirected', 'nat', PRIORITY_NAT),
    nat(PROTOCOL.udp, udpPort),
    nat(PROTOCOL.tcp, tcpPort),
    chainMessage(table, 'patient', 'filter', PRIORITY_FILTER),
    ruleMessage(table, 'patient', [
      ...load(PAYLOAD.network, OFFSET.source, target),
      ...loadProtocol(PROTOCOL.icmp),
      ...load(PAYLOAD.transport, 0, Buffer.from([ICMP_UNREACHABLE])),
      immediate(REGISTER.verdict, nested(DATA.verdict, be32Attribute(VERDICT_CODE, NF_DROP))),
    ]),
  ]
}

function message(kind: number, flags: number, ...attributes: readonly Buffer[]): NetlinkRequest {
  return {
    type: (SUBSYSTEM_NFTABLES << 8) | kind,
    flags: NLM_F.request | NLM_F.ack | flags,
    body: Buffer.concat([netfilterHeader(AF_INET), ...attributes]),
  }
}

function tableMessage(kind: number, table: string, flags: number): NetlinkRequest {
  return message(kind, flags, text(TABLE_NAME, table))
}

function chainMessage(table: string, name: string, type: string, priority: number): NetlinkRequest {
  return message(
    MESSAGE.newChain,
    NLM_F.create,
    text(CHAIN.table, table),
    text(CHAIN.name, name),
    text(CHAIN.type, type),
    nested(CHAIN.hook, be32Attribute(HOOK.number, NF_INET_LOCAL_OUT), be32Attribute(HOOK.priority, priority)),
    be32Attribute(CHAIN.policy, NF_ACCEPT),
  )
}

/** NLM_F_APPEND shares its bit with "replace at the end of a dump"; for rules it means behind those that are there. */
const NLM_F_APPEND = 0x800

function ruleMessage(table: string, chain: string, expressions: readonly Buffer[]): NetlinkRequest {
  return message(
    MESSAGE.newRule,
    NLM_F.create | NLM_F_APPEND,
    text(RULE.table, table),
    text(RULE.chain, chain),
    nested(RULE.expressions, ...expressions),
  )
}

function expression(name: string, ...data: readonly Buffer[]): Buffer {
  return nested(LIST_ELEMENT, text(EXPRESSION.name, name), nested(EXPRESSION.data, ...data))
}

/** Goes on only where these bytes of the packet are these. */
function load(base: number, offset: number, wanted: Buffer): readonly Buffer[] {
  return [
    expression(
      'payload',
      be32Attribute(PAYLOAD_FIELD.register, REGISTER.one),
      be32Attribute(PAYLOAD_FIELD.base, base),
      be32Attribute(PAYLOAD_FIELD.offset, offset),
      be32Attribute(PAYLOAD_FIELD.bytes, wanted.length),
    ),
    isEqual(wanted),
  ]
}

function loadProtocol(protocol: number): readonly Buffer[] {
  return [
    expression('meta', be32Attribute(META.register, REGISTER.one), be32Attribute(META.key, META_L4PROTO)),
    isEqual(Buffer.from([protocol])),
  ]
}

function isEqual(wanted: Buffer): Buffer {
  return expression(
    'cmp',
    be32Attribute(COMPARE.register, REGISTER.one),
    be32Attribute(COMPARE.operation, EQUAL),
    nested(COMPARE.data, attribute(DATA.value, wanted)),
  )
}

function immediate(register: number, value: Buffer): Buffer {
  return expression('immediate', be32Attribute(IMMEDIATE.register, register), nested(IMMEDIATE.data, value))
}

export function be32Attribute(type: number, value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return attribute(type, buffer)
}

export function be16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}
