import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, type BigIntStats } from 'node:fs'

import { systemCodeOf } from '#base'
import { EMPTY_BYTES, MAX_DEPTH, bufferOfBytes, bytesOfBuffer, type ByteString } from '#oci/tar'

import { snapshotError } from './errors.ts'

export interface WalkItem {
  /** Relative to the start; empty for the start itself. */
  readonly path: ByteString
  readonly stat: BigIntStats
  /** Opens the item for as long as the walk stands on it, through its parent's descriptor; never through a link. */
  readonly place: Buffer
  /** Set it false on a directory to pass over what is in it. */
  descend: boolean
}

const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Everything below a directory, depth first, names in byte order, the start first. Somebody may rename and swap things meanwhile: every
 * step goes from an open directory to a name in it, so the walk cannot be led outside. What vanishes is passed over.
 * Errors: `snapshot.too_deep`.
 */
export function* walkDirectory(start: string): Generator<WalkItem, void, undefined> {
  const fd = openSync(start, DIRECTORY_FLAGS & ~constants.O_NOFOLLOW)
  try {
    const item: WalkItem = { path: EMPTY_BYTES, stat: fstatSync(fd, { bigint: true }), place: placeIn(fd, '.'), descend: true }
    yield item
    if (item.descend) yield* walkOpen(fd, EMPTY_BYTES, 1)
  } finally {
    closeSync(fd)
  }
}

function* walkOpen(fd: number, path: ByteString, depth: number): Generator<WalkItem, void, undefined> {
  if (depth > MAX_DEPTH) throw snapshotError('snapshot.too_deep', `a directory lies more than ${MAX_DEPTH} levels deep`)
  const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' })
    .map((name) => bytesOfBuffer(name))
    .sort()
  for (const name of names) {
    const place = placeIn(fd, name)
    const stat = orGone(() => lstatSync(place, { bigint: true }))
    if (stat === undefined) continue
    const item: WalkItem = { path: (path === '' ? name : `${path}/${name}`) as ByteString, stat, place, descend: true }
    yield item
    if (!stat.isDirectory() || !item.descend) continue
    const below = orGone(() => openSync(place, DIRECTORY_FLAGS))
    if (below === undefined) continue
    try {
      yield* walkOpen(below, item.path, depth + 1)
    } finally {
      closeSync(below)
    }
  }
}

function placeIn(fd: number, name: string): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), bufferOfBytes(name as ByteString)])
}

/** ELOOP and ENOTDIR: it was a directory when it was listed and is something else now. */
export function orGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** `gnu_dev_major` and `gnu_dev_minor`. */
export function deviceOf(stat: BigIntStats): { readonly major: number; readonly minor: number } {
  const { rdev } = stat
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  }
}

/** How overlayfs writes down that a name of the layers is gone. */
export function isWhiteoutStat(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n
}
