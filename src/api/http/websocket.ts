import { createHash } from 'node:crypto'

import { httpError } from './errors.ts'

/** RFC 6455, section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Keystrokes and pipes: no client of an attachment sends more at once. */
const MAX_PAYLOAD_BYTES = 1024 * 1024

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const OPCODES: readonly number[] = Object.values(OPCODE)

export interface WebsocketFrame {
  readonly opcode: number
  readonly payload: Buffer
}

/** Sec-WebSocket-Accept for a client's key (section 4.2.2). */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64')
}

/** One unmasked, whole frame, as servers send them (section 5.2). */
export function websocketFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

/** Takes a client's frames out of its bytes, however they are cut. Errors: `http.websocket_invalid` for what breaks section 5. */
export function websocketReader(onFrame: (frame: WebsocketFrame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let size = frameSize(rest); size !== undefined && rest.length >= size.total; size = frameSize(rest)) {
      const mask = rest.subarray(size.head - 4, size.head)
      const payload = Buffer.from(rest.subarray(size.head, size.total))
      for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0)
      const opcode = (rest[0] ?? 0) & 0x0f
      rest = rest.subarray(size.total)
      onFrame({ opcode, payload })
    }
  }
}

/** undefined: the head is not all there. */
function frameSize(bytes: Buffer): { readonly head: number; readonly total: number } | undefined {
  if (bytes.length < 2) return undefined
  const [first = 0, second = 0] = bytes
  if ((first & 0x70) !== 0 || !OPCODES.includes(first & 0x0f)) throw broken('a frame of an unknown kind')
  if ((second & 0x80) === 0) throw broken('a frame that is not masked')
  const short = second & 0x7f
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  if (bytes.length < 2 + lengthBytes) return undefined
  const length = lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (length > MAX_PAYLOAD_BYTES) throw broken(`a frame of ${length} bytes`)
  const head = 2 + lengthBytes + 4
  return { head, total: head + length }
}

function broken(what: string) {
  return httpError('http.websocket_invalid', `the client sent ${what} over its websocket`)
}
