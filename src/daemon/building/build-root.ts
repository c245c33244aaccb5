import { mkdtempSync, rmdirSync } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

import type { BuildRoot, FileTree, TreeEntry, TreeEntryType } from '#engine/builder'
import type { Snapshots } from '#engine/snapshots'
import type { Host } from '#host'
import { bufferOfBytes, bytesOfBuffer, bytesOfText, EMPTY_BYTES, textOfBytes, type ByteString } from '#oci/tar'

const READ_BYTES = 256 * 1024
const MODE_BITS = 0o7777

/** Merged layers, mounted read-only for as long as somebody reads them. Paths come with their links resolved, so no step of one can lead out. */
export function buildRoot(needs: { readonly snapshots: Snapshots; readonly host: Host; readonly temporary: string }): BuildRoot {
  return {
    open: async (layers) => {
      const target = mkdtempSync(join(needs.temporary, 'root-'))
      const mount = layers.length === 0 ? undefined : needs.snapshots.mountReadOnly(layers, target)
      const close = async () => {
        mount?.[Symbol.dispose]()
        await Promise.resolve(rmdirSync(target))
      }
      return await Promise.resolve({ ...mountedTree(target, needs.host), [Symbol.asyncDispose]: close })
    },
  }
}

function mountedTree(root: string, host: Host): FileTree {
  const at = (path: ByteString) => Buffer.concat([Buffer.from(`${root}/`), bufferOfBytes(path)])
  return {
    lstat: async (path) => {
      const stats = await lstat(at(path)).catch(() => undefined)
      if (stats === undefined) return undefined
      const type = typeOf(stats)
      if (type === undefined) return undefined
      const entry: TreeEntry = {
        type,
        mode: stats.mode & MODE_BITS,
        uid: stats.uid,
        gid: stats.gid,
        sizeBytes: type === 'file' ? stats.size : 0,
        mtimeS: Math.floor(stats.mtimeMs / 1000),
        linkname: type === 'symlink' ? bytesOfBuffer(await readlink(at(path), 'buffer')) : EMPTY_BYTES,
        xattrs: xattrsOf(host, `${root}/${textOfBytes(path)}`),
      }
      return entry
    },
    list: async (path) => (await readdir(at(path), 'buffer')).toSorted(Buffer.compare).map((name) => bytesOfBuffer(name)),
    read: async function* (path) {
      await using file = await open(at(path))
      for (;;) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES)
        if (bytesRead === 0) return
        yield buffer.subarray(0, bytesRead)
      }
    },
    sha256: () => undefined,
  }
}

function typeOf(stats: {
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
  isCharacterDevice(): boolean
  isBlockDevice(): boolean
  isFIFO(): boolean
}): TreeEntryType | undefined {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isCharacterDevice()) return 'char'
  if (stats.isBlockDevice()) return 'block'
  return stats.isFIFO() ? 'fifo' : undefined
}

/** Attributes that a layer carries; those of the overlay itself are no part of the tree. */
function xattrsOf(host: Host, path: string): TreeEntry['xattrs'] {
  return host.files
    .llistxattr(path)
    .filter((name) => !name.startsWith('trusted.overlay.') && name !== 'security.selinux')
    .map((name) => ({ name: bytesOfText(name), value: host.files.lgetxattr(path, name) ?? Buffer.alloc(0) }))
}
