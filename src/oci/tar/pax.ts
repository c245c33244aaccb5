import { bytesOfBuffer, type ByteString } from './bytes.ts'
import type { TarXattr } from './entry.ts'
import { entryError } from './errors.ts'
import { MAX_XATTR_BYTES, MAX_XATTR_NAME_BYTES, MAX_XATTRS } from './limits.ts'

/** What a pax header changes in the entry that follows. */
export interface PaxOverrides {
  path?: ByteString
  linkpath?: ByteString
  size?: number
  uid?: number
  gid?: number
  mtime?: { readonly s: number; readonly ns: number }
  xattrs: TarXattr[]
}

const SCHILY_XATTR = 'SCHILY.xattr.'
const LIBARCHIVE_XATTR = 'LIBARCHIVE.xattr.'

/** Keys that would change where an entry's bytes are, in ways that readers do not share. */
function isRefused(key: string): boolean {
  return (
    key.startsWith('GNU.sparse.') || key.startsWith('GNU.volume.') || key === 'SCHILY.realsize' || key.startsWith('GNU.dumpdir')
  )
}

/** Applies to one entry. Keys that do not matter here (atime, uname, comment, vendor keys) are read over. */
export function parsePax(body: Buffer, offset: number): PaxOverrides {
  const overrides: PaxOverrides = { xattrs: [] }
  for (const { key, start, end } of records(body, offset)) {
    if (isRefused(key)) throw entryError('tar.unsupported', `pax key ${key}`, offset)
    applyRecord(overrides, key, body.subarray(start, end), offset)
  }
  return overrides
}

/**
 * Global headers are applied by some readers and ignored by others, so only those that change nothing may stand
 * (git archive writes its commit as `comment`).
 */
export function checkGlobalPax(body: Buffer, offset: number): void {
  for (const { key } of records(body, offset)) {
    const changesEntries =
      isRefused(key) ||
      /^(path|linkpath|size|uid|gid|mtime)$/.test(key) ||
      key.startsWith(SCHILY_XATTR) ||
      key.startsWith(LIBARCHIVE_XATTR)
    if (changesEntries) throw entryError('tar.ambiguous', `global pax header sets ${key} for all entries`, offset)
  }
}

/** `LENGTH KEY=VALUE\n`, LENGTH in decimal and counting itself (POSIX.1-2017, "pax Extended Header"). */
function* records(body: Buffer, offset: number): Generator<{ key: string; start: number; end: number }> {
  const seen = new Set<string>()
  let at = 0
  while (at < body.length) {
    const space = body.indexOf(0x20, at)
    const digits = space === -1 ? '' : bytesOfBuffer(body, at, Math.min(space, at + 12))
    const length = /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : 0
    const end = at + length
    const equals = body.indexOf(0x3d, space + 1)
    if (length === 0 || end > body.length || body[end - 1] !== 0x0a || equals === -1 || equals >= end || equals === space + 1)
      throw entryError('tar.malformed', `pax record at byte ${at} of its header is broken`, offset)
    const key = bytesOfBuffer(body, space + 1, equals)
    if (key.includes('\x00')) throw entryError('tar.malformed', 'NUL in a pax key', offset)
    if (seen.has(key)) throw entryError('tar.ambiguous', `pax key ${JSON.stringify(key.slice(0, 100))} given twice`, offset)
    seen.add(key)
    yield { key, start: equals + 1, end: end - 1 }
    at = end
  }
}

function applyRecord(overrides: PaxOverrides, key: string, value: Buffer, offset: number): void {
  if (key.startsWith(SCHILY_XATTR)) return addXattr(overrides, key.slice(SCHILY_XATTR.length), Buffer.from(value), offset)
  if (key.startsWith(LIBARCHIVE_XATTR)) return addLibarchiveXattr(overrides, key.slice(LIBARCHIVE_XATTR.length), value, offset)
  if (key === 'path') overrides.path = textValue(key, value, offset)
  else if (key === 'linkpath') overrides.linkpath = textValue(key, value, offset)
  else if (key === 'size') overrides.size = decimal(key, value, offset)
  else if (key === 'uid') overrides.uid = decimal(key, value, offset)
  else if (key === 'gid') overrides.gid = decimal(key, value, offset)
  else if (key === 'mtime') overrides.mtime = paxTime(value, offset)
}

function textValue(key: string, value: Buffer, offset: number): ByteString {
  if (value.length === 0) throw entryError('tar.ambiguous', `pax ${key} is empty`, offset)
  if (value.includes(0)) throw entryError('tar.malformed', `NUL in pax ${key}`, offset)
  return bytesOfBuffer(value)
}

function decimal(key: string, value: Buffer, offset: number): number {
  const text = value.toString('latin1')
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number))
    throw entryError('tar.malformed', `pax ${key} is ${JSON.stringify(text.slice(0, 40))}`, offset)
  return number
}

/** Decimal seconds with a fraction; digits past nanoseconds are cut, towards the past. */
function paxTime(value: Buffer, offset: number): { s: number; ns: number } {
  const text = value.toString('latin1')
  const match = /^(-?)(\d{1,15})(?:\.(\d{0,30}))?$/.exec(text)
  if (match === null) throw entryError('tar.malformed', `pax mtime is ${JSON.stringify(text.slice(0, 40))}`, offset)
  const [, sign, whole = '0', fraction = ''] = match
  const ns = Number(fraction.slice(0, 9).padEnd(9, '0'))
  const s = Number(whole)
  if (sign === '') return { s, ns }
  return ns === 0 ? { s: s === 0 ? 0 : -s, ns } : { s: -s - 1, ns: 1_000_000_000 - ns }
}

function addXattr(overrides: PaxOverrides, name: string, value: Buffer, offset: number): void {
  if (name === '' || name.length > MAX_XATTR_NAME_BYTES)
    throw entryError('tar.limit', `attribute name of ${name.length} bytes, allowed are 1 to ${MAX_XATTR_NAME_BYTES}`, offset)
  if (value.length > MAX_XATTR_BYTES)
    throw entryError('tar.limit', `attribute ${name} has ${value.length} bytes, more than ${MAX_XATTR_BYTES}`, offset)
  const twin = overrides.xattrs.find((other) => other.name === name)
  // bsdtar writes each attribute in both dialects.
  if (twin !== undefined && !twin.value.equals(value))
    throw entryError('tar.ambiguous', `attribute ${name} has two values`, offset)
  if (overrides.xattrs.length >= MAX_XATTRS) throw entryError('tar.limit', `more than ${MAX_XATTRS} attributes`, offset)
  if (twin === undefined) overrides.xattrs.push({ name: name as ByteString, value })
}

/** libarchive: the name percent-encoded, the value in base64, both without padding. */
function addLibarchiveXattr(overrides: PaxOverrides, encoded: string, value: Buffer, offset: number): void {
  const name = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  const base64 = value.toString('latin1')
  if (name.includes('\x00') || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw entryError(
      'tar.malformed',
      `attribute ${JSON.stringify(encoded.slice(0, 100))} is not encoded as libarchive does`,
      offset,
    )
  addXattr(overrides, name, Buffer.from(base64, 'base64'), offset)
}
