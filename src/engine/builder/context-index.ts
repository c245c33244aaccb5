import type { IgnoreRules } from '#oci/patterns'
import { textOfBytes, type ByteString, type TarEntry } from '#oci/tar'

import { buildError } from './errors.ts'
import { baseName, directoryEntry, parentPath, type TreeEntry, type TreeEntryType } from './file-tree.ts'

/** Where a file's bytes lie in the spool, and their sha256 in hexadecimal. */
export interface StoredContent {
  readonly offset: number
  readonly sha256: string
}

export interface IndexedEntry extends TreeEntry {
  readonly content: StoredContent | undefined
}

/** Paths of an archive with their entries: every parent is there, and is a directory. */
export type ArchiveIndex = ReadonlyMap<ByteString, IndexedEntry>

/**
 * The tree that an archive describes. A later entry replaces an earlier one of the same path, a hard link is another name of the same
 * content, and what lies below a link or a file is refused: nothing in here could be reached through a link.
 */
export function indexArchive(
  entries: readonly TarEntry[],
  sha256Of: (entry: TarEntry) => string,
  code: 'build.context_invalid' | 'build.copy_failed' = 'build.context_invalid',
): ArchiveIndex {
  const index = new Map<ByteString, IndexedEntry>()
  for (const entry of entries) index.set(entry.path, indexed(entry, index, sha256Of, code))
  for (const path of [...index.keys()]) addParents(index, path, code)
  if (!index.has('' as ByteString)) index.set('' as ByteString, implicitDirectory())
  return index
}

/** Without what the rules ignore; directories stay when something in them does. */
export function withoutIgnored(index: ArchiveIndex, rules: IgnoreRules): ArchiveIndex {
  const kept = new Map<ByteString, IndexedEntry>()
  for (const [path, entry] of index) if (path === '' || !rules.isIgnored(textOfBytes(path))) kept.set(path, entry)
  for (const path of [...kept.keys()]) {
    for (let above = parentPath(path); above !== '' && !kept.has(above); above = parentPath(above))
      kept.set(above, index.get(above) ?? implicitDirectory())
  }
  return kept
}

/** Names in each directory, in byte order. */
export function childrenOf(index: ArchiveIndex): ReadonlyMap<ByteString, readonly ByteString[]> {
  const children = new Map<ByteString, ByteString[]>()
  for (const path of index.keys()) {
    if (path === '') continue
    const parent = parentPath(path)
    const names = children.get(parent)
    if (names === undefined) children.set(parent, [baseName(path)])
    else names.push(baseName(path))
  }
  for (const names of children.values()) names.sort()
  return children
}

function indexed(
  entry: TarEntry,
  index: ReadonlyMap<ByteString, IndexedEntry>,
  sha256Of: (entry: TarEntry) => string,
  code: 'build.context_invalid' | 'build.copy_failed',
): IndexedEntry {
  if (entry.type === 'hardlink') {
    const target = index.get(entry.linkname)
    if (target !== undefined && target.type !== 'directory') return target
    const [name, wanted] = [textOfBytes(entry.path), textOfBytes(entry.linkname)]
    throw buildError(code, `the archive links ${name} to ${wanted}, which is not a file before it`)
  }
  const type: TreeEntryType = entry.type
  return {
    type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    sizeBytes: type === 'file' ? entry.size : 0,
    mtimeS: entry.mtimeS,
    linkname: entry.linkname,
    xattrs: entry.xattrs,
    content: type === 'file' ? { offset: entry.dataOffset, sha256: sha256Of(entry) } : undefined,
  }
}

function addParents(
  index: Map<ByteString, IndexedEntry>,
  path: ByteString,
  code: 'build.context_invalid' | 'build.copy_failed',
): void {
  for (let above = parentPath(path); above !== path; above = parentPath(above)) {
    const entry = index.get(above)
    if (entry === undefined) index.set(above, implicitDirectory())
    else if (entry.type !== 'directory') {
      const [name, blocked] = [textOfBytes(path), textOfBytes(above)]
      throw buildError(code, `the archive has ${name} below ${blocked}, which is a ${entry.type}`)
    } else if (above !== '') return
    if (above === '') return
  }
}

function implicitDirectory(): IndexedEntry {
  return { ...directoryEntry({ uid: 0, gid: 0, mtimeS: 0 }), content: undefined }
}
