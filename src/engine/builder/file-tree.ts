import type { ByteString, TarXattr } from '#oci/tar'

export type TreeEntryType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo'

export interface TreeEntry {
  readonly type: TreeEntryType
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly mtimeS: number
  /** Target of a symlink as stored, else empty. */
  readonly linkname: ByteString
  readonly xattrs: readonly TarXattr[]
}

/**
 * A tree that does not change while it is read: a build context, or the merged layers of an image. Paths are relative to its root, which
 * is the empty string; no path given to it leads through a symlink, since `resolvePath` follows links before.
 */
export interface FileTree {
  lstat(path: ByteString): Promise<TreeEntry | undefined>
  /** Names in a directory, in byte order. */
  list(path: ByteString): Promise<readonly ByteString[]>
  /** Content of a file. */
  read(path: ByteString): AsyncIterable<Buffer>
  /** Hexadecimal sha256 of a file's content, when it is known without reading. */
  sha256(path: ByteString): string | undefined
  /** Digests of selections of its files, by what was selected: to be filled by whoever works one out. */
  readonly digests?: Map<string, string>
}

/** A tree with nothing in it but its root. */
export function emptyTree(): FileTree {
  const root: TreeEntry = directoryEntry({ uid: 0, gid: 0, mtimeS: 0 })
  return {
    lstat: async (path) => (path === '' ? root : undefined),
    list: async () => [],
    read: async function* () {},
    sha256: () => undefined,
  }
}

export function directoryEntry(of: { readonly uid: number; readonly gid: number; readonly mtimeS: number }): TreeEntry {
  return { type: 'directory', mode: 0o755, sizeBytes: 0, linkname: '' as ByteString, xattrs: [], ...of }
}

export function joinPath(directory: ByteString, name: string): ByteString {
  return (directory === '' ? name : `${directory}/${name}`) as ByteString
}

export function parentPath(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/')
  return (slash < 0 ? '' : path.slice(0, slash)) as ByteString
}

export function baseName(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString
}
