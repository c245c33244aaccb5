import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { bytesOfText, type TarEntryInit, type TarMember } from '#oci/tar'

export interface TreeToPack {
  readonly path: string
  /** What it is called in the archive; empty: only what is in it. */
  readonly name: string
  /** Take what a link at the very start leads to. */
  readonly followLink: boolean
}

/** A file or a directory of this machine as members of an archive. Sockets are left out. */
export async function* treeMembers({ path, name, followLink }: TreeToPack): AsyncGenerator<TarMember> {
  const stats = await (followLink ? stat(path) : lstat(path))
  const member = (more: Partial<TarEntryInit> & Pick<TarEntryInit, 'type'>): TarEntryInit => ({
    path: bytesOfText(name),
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtimeS: Math.floor(stats.mtimeMs / 1000),
    ...more,
  })
  if (stats.isSymbolicLink()) yield { entry: member({ type: 'symlink', linkname: bytesOfText(await readlink(path)) }) }
  else if (stats.isFIFO()) yield { entry: member({ type: 'fifo' }) }
  else if (stats.isFile()) {
    const body = stats.size === 0 ? [] : createReadStream(path, { end: stats.size - 1 })
    yield { entry: member({ type: 'file', size: stats.size }), body }
  } else if (stats.isDirectory()) {
    if (name !== '') yield { entry: member({ type: 'directory' }) }
    for (const child of (await readdir(path)).toSorted())
      yield* treeMembers({ path: join(path, child), name: name === '' ? child : `${name}/${child}`, followLink: false })
  }
}
