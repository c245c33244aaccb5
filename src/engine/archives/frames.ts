import { invariant } from '#base'
import { bufferOfBytes, bytesOfBuffer, type ByteString, type TarEntryInit, type TarEntryType, type TarXattr } from '#oci/tar'

import { archiveError } from './errors.ts'
import { CHUNK_BYTES, MAX_FRAME_BYTES } from './limits.ts'

/** What travels to and from the confined program: a type, the payload's length (u32) and the payload; numbers are little-endian. */
export interface Frame {
  readonly type: FrameType
  readonly payload: Buffer
}

export const FRAME = { stat: 'S', entry: 'E', bytes: 'D', end: 'Z', failed: 'X' } as const
export type FrameType = (typeof FRAME)[keyof typeof FRAME]

const TYPES: readonly string[] = Object.values(FRAME)
const HEADER_BYTES = 5
const ENTRY_FIXED_BYTES = 56
const STAT_FIXED_BYTES = 24
const FLAG_HARDLINK = 1

const S_IFMT = 0o170000
const TYPE_MODES: Readonly<Record<Exclude<TarEntryType, 'hardlink'>, number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  block: 0o060000,
  char: 0o020000,
  fifo: 0o010000,
}

export function encodeFrame(type: FrameType, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  invariant(payload.length <= MAX_FRAME_BYTES, `a frame of ${payload.length} bytes fits`)
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(type, 0, 'latin1')
  header.writeUInt32LE(payload.length, 1)
  return Buffer.concat([header, payload])
}

/** A body's bytes as frames of at most `CHUNK_BYTES`. */
export function* encodeBytes(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield encodeFrame(FRAME.bytes, bytes.subarray(at, at + CHUNK_BYTES))
}

/** Takes frames out of a stream of bytes, however they are cut. Errors: `archive.failed` for what is no frame and for an end inside of one. */
export async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame, void, undefined> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length - at >= HEADER_BYTES) {
      const length = rest.readUInt32LE(at + 1)
      const type = rest.toString('latin1', at, at + 1)
      if (!TYPES.includes(type) || length > MAX_FRAME_BYTES) throw broken(`a frame of type ${type} with ${length} bytes`)
      const end = at + HEADER_BYTES + length
      if (rest.length < end) break
      yield { type: type as FrameType, payload: rest.subarray(at + HEADER_BYTES, end) }
      at = end
    }
    rest = rest.subarray(at)
  }
  if (rest.length > 0) throw broken('an end inside a frame')
}

export function encodeEntry(entry: TarEntryInit): Buffer {
  const { type, mode = 0, uid = 0, gid = 0, size = 0, mtimeS = 0, mtimeNs = 0, devMajor = 0, devMinor = 0, xattrs = [] } = entry
  const fixed = Buffer.alloc(ENTRY_FIXED_BYTES)
  const path = bufferOfBytes(entry.path)
  const link = bufferOfBytes(entry.linkname ?? ('' as ByteString))
  fixed.writeUInt32LE((type === 'hardlink' ? TYPE_MODES.file : TYPE_MODES[type]) | (mode & 0o7777), 0)
  fixed.writeUInt32LE(uid, 4)
  fixed.writeUInt32LE(gid, 8)
  fixed.writeUInt32LE(devMajor, 12)
  fixed.writeUInt32LE(devMinor, 16)
  fixed.writeUInt32LE(type === 'hardlink' ? FLAG_HARDLINK : 0, 20)
  fixed.writeBigUInt64LE(BigInt(size), 24)
  fixed.writeBigInt64LE(BigInt(mtimeS), 32)
  fixed.writeUInt32LE(mtimeNs, 40)
  fixed.writeUInt32LE(path.length, 44)
  fixed.writeUInt32LE(link.length, 48)
  fixed.writeUInt32LE(xattrs.length, 52)
  return encodeFrame(FRAME.entry, Buffer.concat([fixed, path, link, ...xattrs.flatMap(encodeXattr)]))
}

function encodeXattr({ name, value }: TarXattr): Buffer[] {
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32LE(name.length, 0)
  lengths.writeUInt32LE(value.length, 4)
  return [lengths, bufferOfBytes(name), value]
}

/** Sockets, which no archive can hold, are never sent. Errors: `archive.failed`. */
export function decodeEntry(payload: Buffer): TarEntryInit {
  if (payload.length < ENTRY_FIXED_BYTES) throw broken('an entry that is too short')
  const mode = payload.readUInt32LE(0)
  const pathEnd = ENTRY_FIXED_BYTES + payload.readUInt32LE(44)
  const linkEnd = pathEnd + payload.readUInt32LE(48)
  if (linkEnd > payload.length) throw broken('an entry whose names are cut off')
  const isHardLink = (payload.readUInt32LE(20) & FLAG_HARDLINK) !== 0
  return {
    path: bytesOfBuffer(payload.subarray(ENTRY_FIXED_BYTES, pathEnd)),
    type: isHardLink ? 'hardlink' : typeOfMode(mode),
    mode: mode & 0o7777,
    uid: payload.readUInt32LE(4),
    gid: payload.readUInt32LE(8),
    size: Number(payload.readBigUInt64LE(24)),
    mtimeS: Number(payload.readBigInt64LE(32)),
    mtimeNs: payload.readUInt32LE(40),
    linkname: bytesOfBuffer(payload.subarray(pathEnd, linkEnd)),
    devMajor: payload.readUInt32LE(12),
    devMinor: payload.readUInt32LE(16),
    xattrs: decodeXattrs(payload.subarray(linkEnd), payload.readUInt32LE(52)),
  }
}

function typeOfMode(mode: number): TarEntryType {
  const found = Object.entries(TYPE_MODES).find(([, bits]) => bits === (mode & S_IFMT))?.[0]
  if (found === undefined) throw broken(`an entry of mode ${mode.toString(8)}`)
  return found as TarEntryType
}

function decodeXattrs(bytes: Buffer, count: number): readonly TarXattr[] {
  const xattrs: TarXattr[] = []
  let at = 0
  for (let index = 0; index < count; index += 1) {
    if (at + 8 > bytes.length) throw broken('attributes that are cut off')
    const nameEnd = at + 8 + bytes.readUInt32LE(at)
    const valueEnd = nameEnd + bytes.readUInt32LE(at + 4)
    if (valueEnd > bytes.length) throw broken('attributes that are cut off')
    xattrs.push({ name: bytesOfBuffer(bytes.subarray(at + 8, nameEnd)), value: Buffer.from(bytes.subarray(nameEnd, valueEnd)) })
    at = valueEnd
  }
  return xattrs
}

export interface StatFrame {
  readonly mode: number
  readonly sizeBytes: number
  readonly mtimeS: bigint
  readonly mtimeNs: number
  readonly linkTarget: string
}

export function decodeStat(payload: Buffer): StatFrame {
  if (payload.length < STAT_FIXED_BYTES) throw broken('a stat that is too short')
  return {
    mode: payload.readUInt32LE(0),
    sizeBytes: Number(payload.readBigUInt64LE(4)),
    mtimeS: payload.readBigInt64LE(12),
    mtimeNs: payload.readUInt32LE(20),
    linkTarget: payload.toString('utf8', STAT_FIXED_BYTES),
  }
}

export interface Failure {
  /** What it is about: the path asked for, a change of kind, a read-only place, one entry, or the way in. */
  readonly about: 'path' | 'kind' | 'read-only' | 'entry' | 'entrance'
  readonly errno: number
  readonly doing: string
  readonly path: string
}

const ABOUT: Readonly<Record<string, Failure['about']>> = { p: 'path', k: 'kind', r: 'read-only', e: 'entry', i: 'entrance' }

export function decodeFailure(payload: Buffer): Failure {
  const end = payload.indexOf(0, 5)
  const about = ABOUT[payload.toString('latin1', 0, 1)]
  if (about === undefined || end < 0) throw broken('a failure that says nothing')
  return {
    about,
    errno: payload.readUInt32LE(1),
    doing: payload.toString('utf8', 5, end),
    path: payload.toString('utf8', end + 1),
  }
}

function broken(what: string) {
  return archiveError('archive.failed', `the confined program sent ${what}`)
}
