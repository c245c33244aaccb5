import { bytesOfBuffer, type ByteString } from './bytes.ts'
import { entryError } from './errors.ts'
import { BLOCK_BYTES } from './limits.ts'
import { headerChecksum, parseNumeric, parseOctal } from './numeric.ts'

/** One 512-byte header as it stands, before pax and long-name headers are applied to it. */
export interface RawHeader {
  readonly typeflag: number
  readonly name: ByteString
  readonly linkname: ByteString
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtimeS: number
  readonly devMajor: number
  readonly devMinor: number
}

export function isZeroBlock(buffer: Buffer, start: number): boolean {
  // The name's first byte decides almost always.
  for (let at = start; at < start + BLOCK_BYTES; at += 1) if (buffer[at] !== 0) return false
  return true
}

/** Field positions: POSIX.1-2017, pax, "ustar Interchange Format". `offset` is where the block lies in the archive. */
export function parseHeader(buffer: Buffer, at: number, offset: number): RawHeader {
  const declared = parseOctal(buffer, at + 148, 8)
  const sum = headerChecksum(buffer, at)
  if (declared !== sum) throw entryError('tar.malformed', `header checksum is ${declared}, its bytes sum to ${sum}`, offset)
  const name = headerName(buffer, at, offset)
  const number = (field: string, start: number, length: number): number => {
    const value = parseNumeric(buffer, at + start, length)
    if (Number.isNaN(value)) throw entryError('tar.malformed', `${field} is not a number`, offset, name)
    if (value < 0 && field !== 'mtime') throw entryError('tar.malformed', `${field} is negative (${value})`, offset, name)
    return value
  }
  const typeflag = buffer[at + 156] as number
  const isDevice = typeflag === 0x33 || typeflag === 0x34
  return {
    typeflag,
    name,
    linkname: field(buffer, at + 157, 100),
    mode: number('mode', 100, 8),
    uid: number('uid', 108, 8),
    gid: number('gid', 116, 8),
    size: number('size', 124, 12),
    mtimeS: number('mtime', 136, 12),
    devMajor: isDevice ? number('device major', 329, 8) : 0,
    devMinor: isDevice ? number('device minor', 337, 8) : 0,
  }
}

const USTAR = 'ustar\x00'

function headerName(buffer: Buffer, at: number, offset: number): ByteString {
  const name = field(buffer, at, 100)
  // GNU's magic is "ustar  ": it keeps times where POSIX has the prefix. Before POSIX there was neither.
  if (buffer[at + 345] === 0 || bytesOfBuffer(buffer, at + 257, at + 263) !== USTAR) return name
  const prefix = field(buffer, at + 345, 155)
  const isStar = bytesOfBuffer(buffer, at + 508, at + 512) === 'tar\x00'
  if (isStar && prefix.length > 131)
    throw entryError('tar.ambiguous', 'star header whose name prefix runs into its time fields', offset, name)
  return `${prefix}/${name}` as ByteString
}

/** Up to the first NUL or the end of the field. */
function field(buffer: Buffer, start: number, length: number): ByteString {
  const nul = buffer.indexOf(0, start)
  const end = nul === -1 || nul > start + length ? start + length : nul
  return bytesOfBuffer(buffer, start, end)
}
