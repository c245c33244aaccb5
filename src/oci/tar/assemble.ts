import { EMPTY_BYTES, type ByteString } from './bytes.ts'
import type { TarEntry, TarEntryType, TarXattr } from './entry.ts'
import { entryError } from './errors.ts'
import type { RawHeader } from './header.ts'
import { BLOCK_BYTES, MAX_ID, MAX_LINK_BYTES } from './limits.ts'
import type { Pending } from './pending.ts'
import { normalizePath } from './path.ts'

const NO_XATTRS: readonly TarXattr[] = Object.freeze([])

/** Largest size that eleven octal digits hold. */
const MAX_OCTAL_SIZE = 0o77777777777

const TYPES: Readonly<Record<string, TarEntryType>> = {
  '\x00': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

/** Refused by name, because a reader that does not know them takes their bodies for entries. */
const REFUSED: Readonly<Record<string, string>> = {
  S: 'GNU sparse file',
  D: 'GNU directory dump',
  M: 'GNU multi-volume continuation',
  N: 'old GNU long name',
  V: 'GNU volume label',
  X: 'Solaris extended header',
}

/** Header plus what the extended headers before it said. Throws where tar readers would come to different results. */
export function assembleEntry(header: RawHeader, pending: Pending | undefined, offset: number): TarEntry {
  const name = chosen('path', header.name, pending?.longName, pending?.pax?.path, offset)
  const type = entryType(header, name, offset)
  const normal = normalizePath(name)
  if ('problem' in normal) throw entryError('tar.malformed', normal.problem, offset, name)
  const path = normal.path
  const refuse = (what: string) => entryError('tar.malformed', what, offset, path)
  if (path === '' && type !== 'directory') throw refuse(`the root is a ${type}`)
  const pax = pending?.pax
  const size = entrySize(header, pax?.size, offset, path)
  if (size !== 0 && type !== 'file') throw entryError('tar.ambiguous', `${type} with a body of ${size} bytes`, offset, path)
  const uid = pax?.uid ?? header.uid
  const gid = pax?.gid ?? header.gid
  if (uid > MAX_ID || gid > MAX_ID) throw refuse(`owner ${uid}:${gid} is out of range`)
  return {
    path,
    type,
    mode: header.mode & 0o7777,
    uid,
    gid,
    size,
    mtimeS: pax?.mtime?.s ?? header.mtimeS,
    mtimeNs: pax?.mtime?.ns ?? 0,
    linkname: entryLink(type, chosen('linkpath', header.linkname, pending?.longLink, pax?.linkpath, offset), offset, path),
    devMajor: header.devMajor,
    devMinor: header.devMinor,
    xattrs: pax === undefined || pax.xattrs.length === 0 ? NO_XATTRS : pax.xattrs,
    dataOffset: offset + BLOCK_BYTES,
    headerOffset: pending?.headerOffset ?? offset,
  }
}

function chosen(
  what: string,
  plain: ByteString,
  gnu: ByteString | undefined,
  pax: ByteString | undefined,
  offset: number,
): ByteString {
  if (gnu !== undefined && pax !== undefined && gnu !== pax)
    throw entryError('tar.ambiguous', `${what} given by a GNU and by a pax header, and not the same`, offset, pax)
  return pax ?? gnu ?? plain
}

function entryType(header: RawHeader, name: ByteString, offset: number): TarEntryType {
  const flag = String.fromCharCode(header.typeflag)
  const type = TYPES[flag]
  if (type === undefined) {
    const what = REFUSED[flag] ?? `type flag ${JSON.stringify(flag)}`
    throw entryError('tar.unsupported', what, offset, name)
  }
  if (type !== 'file' || !name.endsWith('/')) return type
  // Before POSIX a trailing slash was what made a directory; with the flag of a file, readers disagree.
  if (flag === '\x00') return 'directory'
  throw entryError('tar.ambiguous', 'file whose name ends with a slash', offset, name)
}

/**
 * A reader that ignores pax sizes must land on the same next header, except where the plain field cannot hold the size at all
 * (it is then 0 or all sevens).
 */
function entrySize(header: RawHeader, paxSize: number | undefined, offset: number, path: ByteString): number {
  if (paxSize === undefined || paxSize === header.size) return header.size
  const isTooBigForOctal = paxSize > MAX_OCTAL_SIZE && (header.size === 0 || header.size === MAX_OCTAL_SIZE)
  if (isTooBigForOctal) return paxSize
  throw entryError('tar.ambiguous', `size is ${header.size} in the header and ${paxSize} in pax`, offset, path)
}

function entryLink(type: TarEntryType, raw: ByteString, offset: number, path: ByteString): ByteString {
  if (type === 'symlink') {
    if (raw === '') throw entryError('tar.malformed', 'symlink without a target', offset, path)
    if (raw.length > MAX_LINK_BYTES)
      throw entryError('tar.limit', `symlink target of ${raw.length} bytes, more than ${MAX_LINK_BYTES}`, offset, path)
    return raw
  }
  if (type !== 'hardlink') return EMPTY_BYTES
  const normal = normalizePath(raw)
  if ('problem' in normal) throw entryError('tar.malformed', `hard link target: ${normal.problem}`, offset, path)
  return normal.path
}
