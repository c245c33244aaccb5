import { bytesOfText, textOfBytes, type TarEntry, type TarEntryInit } from '#oci/tar'

import { imageError } from '../errors.ts'
import { addedFiles } from './added-files.ts'
import type { DebianBase } from './suites.ts'

/** An entry of the image's layer, its bytes either new or somewhere in the tar that mmdebstrap wrote. */
export interface RootfsMember {
  readonly entry: TarEntryInit
  readonly body: { readonly bytes: Buffer } | { readonly startByte: number } | null
}

/** Whatever differs from run to run or belongs to the machine that made it: lists, caches, logs, ids, names. */
const DROPPED: readonly RegExp[] = [
  /^(?:dev|proc|sys|tmp)\/./,
  /^etc\/(?:hostname|resolv\.conf|machine-id|\.pwd\.lock|(?:passwd|group|shadow|gshadow|subuid|subgid)-)$/,
  /^etc\/apt\/(?:sources\.list$|sources\.list\.d\/.|apt\.conf\.d\/99mmdebstrap$)/,
  /^etc\/dpkg\/dpkg\.cfg\.d\/99mmdebstrap$/,
  /^var\/lib\/(?:dbus\/machine-id|systemd\/random-seed|apt\/daily_lock)$/,
  /^var\/lib\/dpkg\/(?:lock|lock-frontend|triggers\/Lock|[^/]+-old)$/,
  /^var\/cache\/(?:ldconfig\/aux-cache|debconf\/[^/]+-old)$/,
]

/** Their directories stay, because packages expect them. */
const DROPPED_FILES: readonly RegExp[] = [/^run\/./, /^var\/cache\/apt\/./, /^var\/lib\/apt\/lists\/./]

const LOGS = /^var\/log\/./

/** What `-slim` leaves out. Directories stay: some packages put links into them when they are installed. */
const SLIM_DROPPED = /^usr\/share\/(?:doc|man|groff|info|lintian|linda|locale)\/./
const SLIM_KEPT = /^usr\/share\/(?:doc\/[^/]+\/copyright|locale\/locale\.alias)$/

/**
 * From the tar of mmdebstrap to the layer of the image, in its order. Times after `epochS` become it. The same packages give
 * the same members.
 */
export function planRootfs(entries: readonly TarEntry[], base: DebianBase, epochS: number): readonly RootfsMember[] {
  const added = addedFiles(base)
  const replaced = new Set(added.map(({ path }) => path))
  const gone = new Set<string>()
  const kept: RootfsMember[] = []
  for (const entry of entries) {
    const path = textOfBytes(entry.path)
    if (isDropped(path, entry, base.isSlim) || (replaced.has(path) && entry.type !== 'directory')) {
      gone.add(path)
      continue
    }
    if (entry.type === 'hardlink' && gone.has(textOfBytes(entry.linkname)))
      throw imageError('image.bootstrap_failed', `${path} is a link to ${textOfBytes(entry.linkname)}, which is left out`)
    kept.push({ entry: clamped(entry, epochS), body: entry.type === 'file' ? { startByte: entry.dataOffset } : null })
  }
  const present = new Set(kept.map(({ entry }) => textOfBytes(entry.path)))
  const additions = added.map(({ path, mode, text }): RootfsMember => {
    const bytes = Buffer.from(text)
    return {
      entry: { path: bytesOfText(path), type: 'file', mode, size: bytes.length, mtimeS: epochS },
      body: { bytes },
    }
  })
  const directories = missingDirectories(
    added.map(({ path }) => path),
    present,
  ).map((path): RootfsMember => ({
    entry: { path: bytesOfText(path), type: 'directory', mode: 0o755, mtimeS: epochS },
    body: null,
  }))
  return [...kept, ...directories, ...additions]
}

function isDropped(path: string, entry: TarEntry, isSlim: boolean): boolean {
  if (DROPPED.some((pattern) => pattern.test(path))) return true
  const isDirectory = entry.type === 'directory'
  if (DROPPED_FILES.some((pattern) => pattern.test(path))) return !isDirectory
  // Empty ones (wtmp, lastlog) were put there by packages and are needed with their owners.
  if (LOGS.test(path)) return !isDirectory && entry.size > 0
  return isSlim && !isDirectory && SLIM_DROPPED.test(path) && !SLIM_KEPT.test(path)
}

function clamped(entry: TarEntry, epochS: number): TarEntryInit {
  const { path, type, mode, uid, gid, size, linkname, devMajor, devMinor, xattrs } = entry
  return {
    path,
    type,
    mode,
    uid,
    gid,
    size,
    linkname,
    devMajor,
    devMinor,
    xattrs,
    mtimeS: Math.min(entry.mtimeS, epochS),
    mtimeNs: 0,
  }
}

/** Parents first. */
function missingDirectories(paths: readonly string[], present: ReadonlySet<string>): readonly string[] {
  const missing = new Set<string>()
  for (const path of paths) {
    const parts = path.split('/').slice(0, -1)
    parts.forEach((_, index) => {
      const parent = parts.slice(0, index + 1).join('/')
      if (!present.has(parent)) missing.add(parent)
    })
  }
  return [...missing]
}
