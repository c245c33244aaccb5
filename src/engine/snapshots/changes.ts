import { lstatSync, readdirSync, type Stats } from 'node:fs'

import type { Host } from '#host'
import { bufferOfBytes, bytesOfBuffer, textOfBytes, type ByteString } from '#oci/tar'

import type { Change } from './port.ts'
import { isOpaqueDirectory } from './upper-xattrs.ts'
import { isWhiteoutStat, orGone, walkDirectory, type WalkItem } from './walk.ts'

/**
 * Compares the writable directory with a mount of the layers alone. The layers are looked into only below real directories, so a link
 * in them leads nowhere.
 */
export function* changesOf(files: Host['files'], upper: string, lower: string): Generator<Change, void, undefined> {
  // Directories of the upper side whose counterpart is a real directory that still shows through.
  const merged = new Set<ByteString>()
  for (const item of walkDirectory(upper)) {
    const { path, stat } = item
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/'))) as ByteString
    const below = path === '' || merged.has(parent) ? lowerStat(lower, path) : undefined
    if (isWhiteoutStat(stat)) {
      if (below !== undefined) yield change(path, 'deleted')
      continue
    }
    if (path !== '') yield change(path, below === undefined ? 'added' : 'modified')
    if (!stat.isDirectory() || below?.isDirectory() !== true) continue
    if (path !== '' && isOpaqueDirectory(files, item)) yield* hiddenBelow(item, lower)
    else merged.add(path)
  }
}

/** An opaque directory replaced another: what it does not have itself is gone. */
function* hiddenBelow({ place, path }: WalkItem, lower: string): Generator<Change> {
  const names = readdirSync(lowerPlace(lower, path), { encoding: 'buffer' })
  const gone = names.filter((name) => {
    const own = orGone(() => lstatSync(Buffer.concat([place, Buffer.from('/'), name]), { bigint: true }))
    return own === undefined || isWhiteoutStat(own)
  })
  for (const name of gone.map((each) => bytesOfBuffer(each)).sort()) yield change(`${path}/${name}` as ByteString, 'deleted')
}

function lowerStat(lower: string, path: ByteString): Stats | undefined {
  return orGone(() => lstatSync(lowerPlace(lower, path)))
}

function lowerPlace(lower: string, path: ByteString): Buffer {
  return Buffer.concat([Buffer.from(`${lower}/`), bufferOfBytes(path)])
}

function change(path: ByteString, kind: Change['kind']): Change {
  return { path: `/${textOfBytes(path)}`, kind }
}
