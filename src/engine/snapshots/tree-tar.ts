import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs'

import type { Host } from '#host'
import {
  bytesOfBuffer,
  EMPTY_BYTES,
  textOfBytes,
  type ByteString,
  type TarEntryInit,
  type TarEntryType,
  type TarMember,
} from '#oci/tar'

import { snapshotError } from './errors.ts'
import { readRange } from './members.ts'
import { isOpaqueDirectory, readXattrs } from './upper-xattrs.ts'
import { deviceOf, isWhiteoutStat, orGone, walkDirectory, type WalkItem } from './walk.ts'

export interface TreeTarOptions {
  readonly files: Host['files']
  readonly directory: string
  /** Write overlayfs's marks as those of a layer (OCI image-spec, layer.md, "Whiteouts"); else the tree is taken as it is. */
  readonly asLayer: boolean
  /** Whether the root itself gets an entry. */
  readonly withRoot: boolean
}

const FILE_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** A directory as members of an archive: order, names and numbers are the tree's alone. Sockets have no place in a tar. */
export function* membersOfDirectory(options: TreeTarOptions): Generator<TarMember> {
  const { files, asLayer } = options
  const firstPaths = new Map<string, ByteString>()
  for (const item of walkDirectory(options.directory)) {
    const name = item.path.slice(item.path.lastIndexOf('/') + 1) as ByteString
    if (asLayer && name.startsWith('.wh.')) throw reservedName(item.path)
    if (asLayer && isWhiteoutStat(item.stat)) {
      yield marker(item.path.slice(0, item.path.length - name.length), `.wh.${name}`)
      continue
    }
    if (item.path !== '' || options.withRoot) yield* memberOf(item, files, firstPaths)
    if (asLayer && item.path !== '' && item.stat.isDirectory() && isOpaqueDirectory(files, item))
      yield marker(`${item.path}/`, '.wh..wh..opq')
  }
}

function reservedName(path: ByteString) {
  return snapshotError('snapshot.name_reserved', `${JSON.stringify(`/${textOfBytes(path)}`)} would mean a deletion in a layer`, {
    hint: 'Rename files whose names begin with ".wh." before committing.',
  })
}

function marker(prefix: string, name: string): TarMember {
  return { entry: { path: `${prefix}${name}` as ByteString, type: 'file', mode: 0, size: 0 } }
}

function* memberOf(item: WalkItem, files: Host['files'], firstPaths: Map<string, ByteString>): Generator<TarMember> {
  const type = typeOf(item)
  if (type === undefined) return
  const { stat, path } = item
  if (stat.nlink > 1n && type !== 'directory') {
    const key = `${stat.dev}:${stat.ino}`
    const first = firstPaths.get(key)
    if (first !== undefined) return yield { entry: { ...entryOf(item, 'hardlink', files), linkname: first, size: 0 } }
    firstPaths.set(key, path)
  }
  if (type === 'file') return yield* fileMember(item, files)
  const linkname = type === 'symlink' ? linkTarget(item) : EMPTY_BYTES
  if (linkname !== undefined) yield { entry: { ...entryOf(item, type, files), linkname } }
}

/** The descriptor that is read is the one that was looked at; it stays open while the member is being written. */
function* fileMember(item: WalkItem, files: Host['files']): Generator<TarMember> {
  const fd = orGone(() => openSync(item.place, FILE_FLAGS))
  if (fd === undefined) return
  try {
    const now = fstatSync(fd, { bigint: true })
    if (!now.isFile()) return
    const entry = { ...entryOf({ ...item, stat: now }, 'file', files), size: Number(now.size) }
    yield { entry, body: readRange(fd, 0, Number(now.size)) }
  } finally {
    closeSync(fd)
  }
}

function linkTarget(item: WalkItem): ByteString | undefined {
  const target = orGone(() => readlinkSync(item.place, { encoding: 'buffer' }))
  return target === undefined ? undefined : bytesOfBuffer(target)
}

function entryOf(item: WalkItem, type: TarEntryType, files: Host['files']): TarEntryInit {
  const { stat } = item
  const device = type === 'char' || type === 'block' ? deviceOf(stat) : { major: 0, minor: 0 }
  return {
    path: item.path,
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    ...timeOf(stat.mtimeNs),
    devMajor: device.major,
    devMinor: device.minor,
    xattrs: type === 'hardlink' ? [] : readXattrs(files, item),
  }
}

function timeOf(ns: bigint): { mtimeS: number; mtimeNs: number } {
  const rest = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  return { mtimeS: Number((ns - rest) / 1_000_000_000n), mtimeNs: Number(rest) }
}

function typeOf({ stat }: WalkItem): TarEntryType | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return 'char'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : undefined
}
