import type { ByteString } from './bytes.ts'

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo'

export interface TarXattr {
  readonly name: ByteString
  readonly value: Buffer
}

export interface TarEntry {
  /** Relative, no `.`, no `..`, no doubled or trailing slash; empty for the root itself. */
  readonly path: ByteString
  readonly type: TarEntryType
  /** Permission bits with setuid, setgid and sticky: 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Of the body; 0 for everything but files. */
  readonly size: number
  /** Whole seconds since 1970, may be negative. */
  readonly mtimeS: number
  /** 0 to 999,999,999, counted upwards from `mtimeS`. */
  readonly mtimeNs: number
  /** Of a symlink as it is; of a hard link normalised like `path`; else empty. */
  readonly linkname: ByteString
  readonly devMajor: number
  readonly devMinor: number
  readonly xattrs: readonly TarXattr[]
  /** Where the body starts in the archive; a multiple of 512. */
  readonly dataOffset: number
  /** Where the entry's first header (pax and long-name headers included) starts. */
  readonly headerOffset: number
}

/** What a writer needs to be told. */
export type TarEntryInit = Pick<TarEntry, 'path' | 'type'> &
  Partial<Omit<TarEntry, 'path' | 'type' | 'dataOffset' | 'headerOffset'>>
