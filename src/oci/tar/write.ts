import { bytesOfBuffer, EMPTY_BYTES, type ByteString } from './bytes.ts'
import type { TarEntryInit, TarEntryType } from './entry.ts'
import { tarError } from './errors.ts'
import { BLOCK_BYTES } from './limits.ts'
import { headerChecksum } from './numeric.ts'

const FLAGS: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

/** Two zero blocks; no fill to a record size, so that equal trees give equal bytes everywhere. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK_BYTES)

const MAX_OCTAL_12 = 0o77777777777
const MAX_OCTAL_8 = 0o7777777

/**
 * The header blocks of one entry: plain ustar, and before it a pax header with just the fields that ustar cannot hold. The same
 * entry gives the same bytes always; names of owners are left out, numbers decide.
 */
export function tarHeader(entry: TarEntryInit): Buffer {
  const name = (entry.type === 'directory' ? `${entry.path === '' ? '.' : entry.path}/` : entry.path) as ByteString
  const { uid = 0, gid = 0, size = 0, mtimeS = 0, mtimeNs = 0, linkname = EMPTY_BYTES } = entry
  if (!Number.isSafeInteger(size) || size < 0) throw tarError('tar.malformed', `cannot write a size of ${size}`)
  const split = splitName(name)
  const records: [string, string][] = []
  if (split === undefined) records.push(['path', name])
  if (linkname.length > 100) records.push(['linkpath', linkname])
  if (size > MAX_OCTAL_12) records.push(['size', String(size)])
  if (uid > MAX_OCTAL_8) records.push(['uid', String(uid)])
  if (gid > MAX_OCTAL_8) records.push(['gid', String(gid)])
  const isPlainTime = mtimeNs === 0 && mtimeS >= 0 && mtimeS <= MAX_OCTAL_12
  if (!isPlainTime) records.push(['mtime', decimalTime(mtimeS, mtimeNs)])
  for (const xattr of entry.xattrs ?? []) records.push([`SCHILY.xattr.${xattr.name}`, bytesOfBuffer(xattr.value)])
  const main = block({
    name: split?.name ?? fallbackName(name),
    prefix: split?.prefix ?? '',
    mode: (entry.mode ?? 0o644) & 0o7777,
    uid: uid > MAX_OCTAL_8 ? 0 : uid,
    gid: gid > MAX_OCTAL_8 ? 0 : gid,
    size: size > MAX_OCTAL_12 ? 0 : size,
    mtimeS: mtimeS >= 0 && mtimeS <= MAX_OCTAL_12 ? mtimeS : 0,
    flag: FLAGS[entry.type],
    linkname: linkname.slice(0, 100),
    devMajor: entry.devMajor ?? 0,
    devMinor: entry.devMinor ?? 0,
  })
  return records.length === 0 ? main : Buffer.concat([...paxBlocks(records), main])
}

/** What has to follow a body of this size. */
export function tarPadding(size: number): Buffer {
  return TAR_END.subarray(0, (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES)
}

interface BlockFields {
  readonly name: string
  readonly prefix: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtimeS: number
  readonly flag: string
  readonly linkname: string
  readonly devMajor: number
  readonly devMinor: number
}

function block(fields: BlockFields): Buffer {
  if (fields.devMajor > MAX_OCTAL_8 || fields.devMinor > MAX_OCTAL_8)
    throw tarError('tar.unsupported', `cannot write device ${fields.devMajor}:${fields.devMinor} of ${fields.name}`)
  const out = Buffer.alloc(BLOCK_BYTES)
  out.write(fields.name, 0, 'latin1')
  octal(out, fields.mode, 100, 8)
  octal(out, fields.uid, 108, 8)
  octal(out, fields.gid, 116, 8)
  octal(out, fields.size, 124, 12)
  octal(out, fields.mtimeS, 136, 12)
  out.write(fields.flag, 156, 'latin1')
  out.write(fields.linkname, 157, 'latin1')
  out.write('ustar\x0000', 257, 'latin1')
  octal(out, fields.devMajor, 329, 8)
  octal(out, fields.devMinor, 337, 8)
  out.write(fields.prefix, 345, 'latin1')
  out.write(`${headerChecksum(out, 0).toString(8).padStart(6, '0')}\x00 `, 148, 'latin1')
  return out
}

function octal(out: Buffer, value: number, at: number, length: number): void {
  out.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
}

/** At most 100 bytes of name and 155 of prefix, cut at a slash; undefined when there is no such cut. */
function splitName(name: ByteString): { readonly name: string; readonly prefix: string } | undefined {
  if (name.length <= 100) return { name, prefix: '' }
  // The cut must not fall on the slash that ends a directory's name.
  const cut = name.lastIndexOf('/', Math.min(155, name.length - 2))
  if (cut <= 0 || name.length - cut - 1 > 100) return undefined
  return { name: name.slice(cut + 1), prefix: name.slice(0, cut) }
}

/** For readers without pax: the head of the name, never ending in a slash unless the entry is a directory. */
function fallbackName(name: ByteString): string {
  return name.endsWith('/') ? `${name.slice(0, 99).replace(/\/+$/, '')}/` : name.slice(0, 100).replace(/\/+$/, '')
}

function decimalTime(s: number, ns: number): string {
  if (ns === 0) return String(s)
  if (s >= 0) return `${s}.${fraction(ns)}`
  const whole = -(s + 1)
  return `-${whole}.${fraction(1_000_000_000 - ns)}`
}

function fraction(ns: number): string {
  return String(ns).padStart(9, '0').replace(/0+$/, '')
}

function paxBlocks(records: readonly (readonly [string, string])[]): Buffer[] {
  const sorted = records.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const body = Buffer.from(sorted.map(([key, value]) => paxRecord(key, value)).join(''), 'latin1')
  const header = block({
    name: 'PaxHeaders/entry',
    prefix: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    mtimeS: 0,
    flag: 'x',
    linkname: '',
    devMajor: 0,
    devMinor: 0,
  })
  return [header, body, tarPadding(body.length)]
}

/** The length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length += 1
  return `${length} ${key}=${value}\n`
}
