/**
 * Messages of netlink(7) and rtnetlink(7), little-endian as on every machine that we run on: a header of 16 bytes, a fixed
 * part for the kind, then attributes (length, type, value), everything padded to four bytes.
 */
export const RTM = {
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
} as const

export const NLM_F = { request: 1, ack: 4, dump: 0x300, replace: 0x100, exclusive: 0x200, create: 0x400 } as const
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3

const HEADER_BYTES = 16

export interface NetlinkRequest {
  readonly type: number
  readonly flags: number
  readonly body: Buffer
}

export interface NetlinkReply {
  readonly type: number
  readonly sequence: number
  readonly body: Buffer
}

export function encodeRequest(request: NetlinkRequest, sequence: number): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + aligned(request.body.length))
  message.writeUInt32LE(HEADER_BYTES + request.body.length, 0)
  message.writeUInt16LE(request.type, 4)
  message.writeUInt16LE(request.flags, 6)
  message.writeUInt32LE(sequence, 8)
  request.body.copy(message, HEADER_BYTES)
  return message
}

/** The messages of one datagram. A cut-off tail is dropped. */
export function decodeReplies(datagram: Buffer): readonly NetlinkReply[] {
  const replies: NetlinkReply[] = []
  let offset = 0
  while (offset + HEADER_BYTES <= datagram.length) {
    const length = datagram.readUInt32LE(offset)
    if (length < HEADER_BYTES || offset + length > datagram.length) break
    replies.push({
      type: datagram.readUInt16LE(offset + 4),
      sequence: datagram.readUInt32LE(offset + 8),
      body: datagram.subarray(offset + HEADER_BYTES, offset + length),
    })
    offset += aligned(length)
  }
  return replies
}

/** The errno of an acknowledgement: 0 is success. */
export function errnoOfAck(reply: NetlinkReply): number {
  return reply.body.length < 4 ? 0 : -reply.body.readInt32LE(0)
}

/** What the kernel says about an error beyond its number: NLMSGERR_ATTR_MSG of the extended acknowledgement. */
export function textOfAck(reply: NetlinkReply): string {
  const NLMSGERR_ATTR_MSG = 1
  // errno, then the header of the request (its payload is left out by NETLINK_CAP_ACK), then attributes.
  const attributes = decodeAttributes(reply.body.subarray(4 + HEADER_BYTES))
  return attributes.get(NLMSGERR_ATTR_MSG)?.toString('utf8').replace(/\0.*$/s, '') ?? ''
}

const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

export function attribute(type: number, value: Uint8Array): Buffer {
  const buffer = Buffer.alloc(aligned(4 + value.length))
  buffer.writeUInt16LE(4 + value.length, 0)
  buffer.writeUInt16LE(type, 2)
  buffer.set(value, 4)
  return buffer
}

export function nested(type: number, ...attributes: readonly Buffer[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes))
}

export function text(type: number, value: string): Buffer {
  return attribute(type, Buffer.from(`${value}\0`))
}

export function uint32(type: number, value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return attribute(type, buffer)
}

export function uint16(type: number, value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16LE(value)
  return attribute(type, buffer)
}

export function uint8(type: number, value: number): Buffer {
  return attribute(type, Buffer.from([value]))
}

/** Later attributes of a type win; the kernel sends each once. */
export function decodeAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>()
  let offset = 0
  while (offset + 4 <= bytes.length) {
    const length = bytes.readUInt16LE(offset)
    if (length < 4 || offset + length > bytes.length) break
    attributes.set(bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK, bytes.subarray(offset + 4, offset + length))
    offset += aligned(length)
  }
  return attributes
}

function aligned(length: number): number {
  return (length + 3) & ~3
}
