import { isUtf8 } from 'node:buffer'

import type { Host } from '#host'
import { bytesOfText, type TarXattr } from '#oci/tar'

import type { WalkItem } from './walk.ts'

const OVERLAY_PREFIX = 'trusted.overlay.'
const OPAQUE = 'trusted.overlay.opaque'

/** Attributes that belong to this host or to the overlay and not to the file. */
function isOurs(name: string): boolean {
  return name.startsWith(OVERLAY_PREFIX) || name === 'security.selinux' || name === 'security.evm' || name === 'security.ima'
}

/** In byte order of their names. Files whose names are not UTF-8 cannot be asked and count as having none. */
export function readXattrs(files: Host['files'], item: WalkItem): readonly TarXattr[] {
  if (!isUtf8(item.place)) return []
  const place = item.place.toString('utf8')
  return files
    .llistxattr(place)
    .filter((name) => !isOurs(name))
    .toSorted()
    .flatMap((name) => {
      const value = files.lgetxattr(place, name)
      return value === undefined ? [] : [{ name: bytesOfText(name), value }]
    })
}

/** The directory shows nothing of what the layers have under its name. */
export function isOpaqueDirectory(files: Host['files'], item: WalkItem): boolean {
  if (!isUtf8(item.place)) return false
  return files.lgetxattr(item.place.toString('utf8'), OPAQUE)?.toString('latin1') === 'y'
}
