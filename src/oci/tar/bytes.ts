import type { Branded } from '#base'

/**
 * A byte sequence as a string with one character (U+0000 to U+00FF) for each byte. File names on Linux are bytes and need not be
 * UTF-8; in this form they keep every byte, work as map keys, and sort by `<` in byte order.
 */
export type ByteString = Branded<'ByteString'>

export const EMPTY_BYTES = '' as ByteString

export function bytesOfText(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1') as ByteString
}

/** For people: bytes that are not UTF-8 become U+FFFD. */
export function textOfBytes(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8')
}

export function bytesOfBuffer(buffer: Buffer, start = 0, end = buffer.length): ByteString {
  return buffer.toString('latin1', start, end) as ByteString
}

export function bufferOfBytes(bytes: ByteString): Buffer {
  return Buffer.from(bytes, 'latin1')
}

function isAscii(bytes: ByteString): boolean {
  for (let index = 0; index < bytes.length; index += 1) if (bytes.charCodeAt(index) > 0x7f) return false
  return true
}
