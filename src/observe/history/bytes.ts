import { historyError } from './errors.ts'

/** Bytes that grow. Numbers are varints: seven bits a byte, the lowest first. */
export interface ByteWriter {
  /** A whole number from 0 to 2^53. */
  varint(value: number): void
  float(value: number): void
  bytes(bytes: Uint8Array): void
  done(): Uint8Array
}

const FIRST_BYTES = 256

export function byteWriter(): ByteWriter {
  let buffer = new Uint8Array(FIRST_BYTES)
  let view = new DataView(buffer.buffer)
  let at = 0
  const reserve = (count: number) => {
    if (at + count <= buffer.length) return
    const larger = new Uint8Array(Math.max(buffer.length * 2, at + count))
    larger.set(buffer.subarray(0, at))
    buffer = larger
    view = new DataView(buffer.buffer)
  }
  return {
    varint: (value) => {
      reserve(MAX_VARINT_BYTES)
      let rest = value
      // Above 32 bits the operators for bits would cut.
      while (rest > 0x7fffffff) {
        buffer[at++] = (rest % 128) | 0x80
        rest = Math.floor(rest / 128)
      }
      while (rest > 0x7f) {
        buffer[at++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      }
      buffer[at++] = rest
    },
    float: (value) => {
      reserve(8)
      view.setFloat64(at, value, true)
      at += 8
    },
    bytes: (bytes) => {
      reserve(bytes.length)
      buffer.set(bytes, at)
      at += bytes.length
    },
    done: () => buffer.slice(0, at),
  }
}

const MAX_VARINT_BYTES = 8

/** Reads what a writer wrote. What ends too early, or is no such number: `history.damaged`. */
export interface ByteReader {
  varint(): number
  float(): number
  bytes(count: number): Uint8Array
  isAtEnd(): boolean
}

export function byteReader(bytes: Uint8Array): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const need = (count: number) => {
    if (count > bytes.length - at)
      throw historyError('history.damaged', `a block of the history ends after ${bytes.length} bytes`)
  }
  return {
    varint: () => {
      let value = 0
      let factor = 1
      for (let count = 0; count < MAX_VARINT_BYTES; count += 1) {
        need(1)
        const byte = bytes[at++] ?? 0
        value += (byte & 0x7f) * factor
        if (byte < 0x80) return value
        factor *= 128
      }
      throw historyError('history.damaged', `a number of the history is too long, at byte ${at}`)
    },
    float: () => {
      need(8)
      at += 8
      return view.getFloat64(at - 8, true)
    },
    bytes: (count) => {
      need(count)
      at += count
      return bytes.subarray(at - count, at)
    },
    isAtEnd: () => at === bytes.length,
  }
}
