import { EMPTY_BYTES, bytesOfBuffer, type ByteString } from './bytes.ts'
import { assembleEntry } from './assemble.ts'
import type { TarEntry } from './entry.ts'
import { entryError, tarError } from './errors.ts'
import { isZeroBlock, parseHeader, type RawHeader } from './header.ts'
import { BLOCK_BYTES, MAX_ENTRIES, MAX_EXTENDED_HEADER_BYTES, MAX_METADATA_BYTES, MAX_TRAILER_BYTES } from './limits.ts'
import { checkGlobalPax, parsePax } from './pax.ts'
import type { Pending } from './pending.ts'

/**
 * Reads the structure of a tar without its bodies. It says which bytes it wants next and is fed exactly those, so one machine
 * serves a stream and a file with positional reads alike.
 */
export interface TarMachine {
  /** Where the wanted bytes start in the archive. Everything before may be thrown away. */
  readonly position: number
  /** How many bytes it wants there. */
  readonly wantedBytes: number
  /** Takes `wantedBytes` bytes of `buffer` from `at`. Gives an entry when they complete one. */
  feed(buffer: Buffer, at: number): TarEntry | undefined
  /** The archive ended at `totalBytes`. Throws unless that is a place where an archive may end. */
  end(totalBytes: number): void
}

type Mode = 'header' | 'pax' | 'global' | 'longName' | 'longLink' | 'trailer'

const EXTENDED: Readonly<Record<string, Mode>> = { x: 'pax', g: 'global', L: 'longName', K: 'longLink' }

export function tarMachine(): TarMachine {
  const state = { position: 0, wantedBytes: BLOCK_BYTES, bodyBytes: 0, mode: 'header' as Mode }
  let pending: Pending | undefined
  let entries = 0
  let metadataBytes = 0
  let trailerStart = 0

  const expectHeader = (position: number) => {
    state.position = position
    state.wantedBytes = BLOCK_BYTES
    state.mode = 'header'
  }

  const account = (bytes: number, offset: number) => {
    metadataBytes += bytes
    if (metadataBytes > MAX_METADATA_BYTES)
      throw entryError('tar.limit', `names and attributes exceed ${MAX_METADATA_BYTES} bytes`, offset)
  }

  const beginExtended = (mode: Mode, header: RawHeader, offset: number) => {
    if (header.size > MAX_EXTENDED_HEADER_BYTES)
      throw entryError('tar.limit', `extended header of ${header.size} bytes, more than ${MAX_EXTENDED_HEADER_BYTES}`, offset)
    if (header.size === 0 && mode !== 'pax' && mode !== 'global')
      throw entryError('tar.malformed', 'empty long-name header', offset)
    account(header.size, offset)
    if (mode !== 'global') pending ??= { pax: undefined, longName: undefined, longLink: undefined, headerOffset: offset }
    if (header.size === 0) {
      if (pending !== undefined && mode === 'pax') setOnce(pending, 'pax', { xattrs: [] }, offset)
      return expectHeader(offset + BLOCK_BYTES)
    }
    state.position = offset + BLOCK_BYTES
    state.bodyBytes = header.size
    state.wantedBytes = paddedSize(header.size)
    state.mode = mode
  }

  const takeExtended = (buffer: Buffer, at: number) => {
    const { mode, position, bodyBytes, wantedBytes } = state
    const body = buffer.subarray(at, at + bodyBytes)
    if (mode === 'global') checkGlobalPax(body, position)
    else if (pending !== undefined && mode === 'pax') setOnce(pending, 'pax', parsePax(body, position), position)
    else if (pending !== undefined && (mode === 'longName' || mode === 'longLink'))
      setOnce(pending, mode, longValue(body, position), position)
    expectHeader(position + wantedBytes)
  }

  const takeHeader = (buffer: Buffer, at: number): TarEntry | undefined => {
    const offset = state.position
    if (buffer[at] === 0 && isZeroBlock(buffer, at)) {
      if (pending !== undefined) throw entryError('tar.truncated', 'the archive ends after an extended header', offset)
      trailerStart = offset
      state.position = offset + BLOCK_BYTES
      state.mode = 'trailer'
      return undefined
    }
    const header = parseHeader(buffer, at, offset)
    const extended = EXTENDED[String.fromCharCode(header.typeflag)]
    if (extended !== undefined) {
      beginExtended(extended, header, offset)
      return undefined
    }
    const entry = assembleEntry(header, pending, offset)
    pending = undefined
    entries += 1
    if (entries > MAX_ENTRIES) throw entryError('tar.limit', `more than ${MAX_ENTRIES} entries`, offset, entry.path)
    account(entry.path.length + entry.linkname.length, offset)
    expectHeader(entry.dataOffset + paddedSize(entry.size))
    if (!Number.isSafeInteger(state.position)) throw entryError('tar.limit', `size is ${entry.size}`, offset, entry.path)
    return entry
  }

  const takeTrailer = (buffer: Buffer, at: number) => {
    const offset = state.position
    // One reader stops at the first zero block, the next skips it: nothing but zeros may follow.
    if (!isZeroBlock(buffer, at)) throw tarError('tar.ambiguous', `tar: bytes after the end marker, at offset ${offset}`)
    if (offset - trailerStart > MAX_TRAILER_BYTES)
      throw tarError('tar.limit', `tar: more than ${MAX_TRAILER_BYTES} zero bytes after the end, from offset ${trailerStart}`)
    state.position = offset + BLOCK_BYTES
  }

  return {
    get position() {
      return state.position
    },
    get wantedBytes() {
      return state.wantedBytes
    },
    feed: (buffer, at) => {
      if (state.mode === 'header') return takeHeader(buffer, at)
      if (state.mode === 'trailer') takeTrailer(buffer, at)
      else takeExtended(buffer, at)
      return undefined
    },
    end: (totalBytes) => {
      const isComplete =
        totalBytes === state.position && (state.mode === 'trailer' || (state.mode === 'header' && pending === undefined))
      if (!isComplete)
        throw tarError(
          'tar.truncated',
          `tar: ends at byte ${totalBytes}, in the middle of what begins or ends at ${state.position}`,
        )
    },
  }
}

function paddedSize(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}

function setOnce<K extends 'pax' | 'longName' | 'longLink'>(pending: Pending, key: K, value: Pending[K], offset: number): void {
  if (pending[key] !== undefined) throw entryError('tar.ambiguous', `two ${key} headers before one entry`, offset)
  pending[key] = value
}

/** GNU long names end with a NUL that counts into their size; nothing may hide behind it. */
function longValue(body: Buffer, offset: number): ByteString {
  const nul = body.indexOf(0)
  const end = nul === -1 ? body.length : nul
  for (let at = end; at < body.length; at += 1)
    if (body[at] !== 0) throw entryError('tar.ambiguous', 'long name with bytes after its NUL', offset)
  return end === 0 ? EMPTY_BYTES : bytesOfBuffer(body, 0, end)
}
