import { isIPv6 } from 'node:net'

import { parseAddress } from '#host'

import { networkError } from '../errors.ts'

/** The wire format of RFC 1035 section 4, as far as a resolver for container names needs it. */
export const DNS_TYPE = { a: 1, ptr: 12, aaaa: 28, opt: 41, any: 255 } as const
export const DNS_CODE = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const

const CLASS_IN = 1
const HEADER_BYTES = 12
/** RFC 1035 section 2.3.4 */
const MAX_NAME_BYTES = 255
const MAX_LABEL_BYTES = 63
/** What a client without EDNS takes by UDP. */
const PLAIN_UDP_BYTES = 512
/** More than this is split on the way (RFC 9715); who asks for more gets this much. */
const MAX_UDP_BYTES = 1232

export interface DnsQuery {
  readonly id: number
  /** Lower case, without the final dot. */
  readonly name: string
  readonly type: number
  readonly isInternetClass: boolean
  /** Operation 0 is a standard query, the only one that we answer. */
  readonly operation: number
  readonly isRecursionDesired: boolean
  /** Largest answer by UDP that the client takes. */
  readonly maxUdpBytes: number
  /** The question as it was asked, to be repeated in the answer (case and all). */
  readonly question: Buffer
}

/** `network.dns_malformed` for anything that is not a query with exactly one question. */
export function decodeQuery(message: Buffer): DnsQuery {
  if (message.length < HEADER_BYTES) throw malformed(`${message.length} bytes are no message`)
  const flags = message.readUInt16BE(2)
  if ((flags & 0x8000) !== 0) throw malformed('an answer where a query was expected')
  const questions = message.readUInt16BE(4)
  if (questions !== 1) throw malformed(`${questions} questions`)
  const { name, end } = decodeName(message, HEADER_BYTES)
  if (end + 4 > message.length) throw malformed('the question is cut off')
  return {
    id: message.readUInt16BE(0),
    name: name.toLowerCase(),
    type: message.readUInt16BE(end),
    isInternetClass: message.readUInt16BE(end + 2) === CLASS_IN,
    operation: (flags >> 11) & 0xf,
    isRecursionDesired: (flags & 0x0100) !== 0,
    maxUdpBytes: udpBytesOf(message, end + 4),
    question: Buffer.from(message.subarray(HEADER_BYTES, end + 4)),
  }
}

/** Queries carry no compressed names; a pointer in the question is refused rather than followed. */
function decodeName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = start
  for (;;) {
    const length = message[at]
    if (length === undefined) throw malformed('a name is cut off')
    at += 1
    if (length === 0) break
    if (length > MAX_LABEL_BYTES) throw malformed('a compressed name in a question')
    if (at + length > message.length || at + length - start > MAX_NAME_BYTES) throw malformed('a name is too long')
    labels.push(message.toString('latin1', at, at + length))
    at += length
  }
  return { name: labels.join('.'), end: at }
}

/** The OPT record of EDNS (RFC 6891) says so in its class, if the first additional record is one. */
function udpBytesOf(message: Buffer, at: number): number {
  const isFirst = message.readUInt16BE(6) === 0 && message.readUInt16BE(8) === 0 && message.readUInt16BE(10) > 0
  if (!isFirst || at + 11 > message.length || message[at] !== 0 || message.readUInt16BE(at + 1) !== DNS_TYPE.opt)
    return PLAIN_UDP_BYTES
  return Math.min(MAX_UDP_BYTES, Math.max(PLAIN_UDP_BYTES, message.readUInt16BE(at + 3)))
}

export type DnsAnswer = { readonly type: 'address'; readonly address: string } | { readonly type: 'name'; readonly name: string }

export interface DnsReply {
  readonly code: number
  readonly answers: readonly DnsAnswer[]
  /** Names of containers change quickly: clients should ask again soon. */
  readonly timeToLiveS: number
}

/** The answer to a query. With `maxBytes` answers that do not fit are left out and the truncation bit sends the client to TCP. */
export function encodeReply(query: DnsQuery, reply: DnsReply, maxBytes = 65_535): Buffer {
  const records: Buffer[] = []
  let size = HEADER_BYTES + query.question.length
  for (const answer of reply.answers) {
    const record = encodeRecord(answer, reply.timeToLiveS)
    if (size + record.length > maxBytes) break
    size += record.length
    records.push(record)
  }
  const isTruncated = records.length < reply.answers.length
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(query.id, 0)
  // An answer, recursion available; what was asked for is repeated.
  const flags =
    0x8080 | (query.operation << 11) | (query.isRecursionDesired ? 0x0100 : 0) | (isTruncated ? 0x0200 : 0) | reply.code
  header.writeUInt16BE(flags, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, query.question, ...records])
}

/** The question's name stands at byte 12 of every message. */
const NAME_OF_QUESTION = Buffer.from([0xc0, HEADER_BYTES])

function encodeRecord(answer: DnsAnswer, timeToLiveS: number): Buffer {
  const value = answer.type === 'name' ? encodeName(answer.name) : parseAddress(answer.address)
  const type = answer.type === 'name' ? DNS_TYPE.ptr : isIPv6(answer.address) ? DNS_TYPE.aaaa : DNS_TYPE.a
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(CLASS_IN, 2)
  fixed.writeUInt32BE(timeToLiveS, 4)
  fixed.writeUInt16BE(value.length, 8)
  return Buffer.concat([NAME_OF_QUESTION, fixed, value])
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1')
    if (bytes.length > MAX_LABEL_BYTES) throw malformed(`the label ${JSON.stringify(label)} is too long`)
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  })
  const whole = Buffer.concat([...parts, Buffer.from([0])])
  if (whole.length > MAX_NAME_BYTES) throw malformed(`the name ${JSON.stringify(name)} is too long`)
  return whole
}

/** A query of our own, for tests and probes. */
export function encodeQuery(query: { readonly id: number; readonly name: string; readonly type: number }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(query.id, 0)
  header.writeUInt16BE(0x0100, 2)
  header.writeUInt16BE(1, 4)
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(query.type, 0)
  tail.writeUInt16BE(CLASS_IN, 2)
  return Buffer.concat([header, encodeName(query.name), tail])
}

/** The address behind a reverse name: `2.0.18.172.in-addr.arpa` or 32 nibbles and `ip6.arpa`. */
export function addressOfReverseName(name: string): string | undefined {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name)
  if (v4 !== null) {
    const bytes = v4.slice(1).toReversed()
    return bytes.every((byte) => Number(byte) <= 255) ? bytes.map(Number).join('.') : undefined
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1]
  if (v6 === undefined) return undefined
  const digits = v6.replaceAll('.', '').split('').toReversed().join('')
  return digits.match(/.{4}/g)?.join(':')
}

function malformed(why: string) {
  return networkError('network.dns_malformed', `DNS message: ${why}`)
}
