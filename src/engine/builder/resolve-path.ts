import { textOfBytes, type ByteString } from '#oci/tar'

import { buildError } from './errors.ts'
import { joinPath, parentPath, type FileTree, type TreeEntry } from './file-tree.ts'
import { MAX_SYMLINKS } from './limits.ts'

export interface Resolved {
  /** Free of links, but for the last component when `followsLast` is false. */
  readonly path: ByteString
  /** Undefined when nothing is there yet. */
  readonly entry: TreeEntry | undefined
}

/**
 * Follows links as a process confined to the tree would: absolute targets begin at the tree's root and `..` stops there. What does
 * not exist is taken literally. Throws `build.copy_failed` on loops and where a component is a file.
 */
export async function resolvePath(tree: FileTree, path: ByteString, followsLast: boolean): Promise<Resolved> {
  const pending = path.split('/').toReversed()
  let at = '' as ByteString
  let entry = await tree.lstat(at)
  let links = 0
  while (pending.length > 0) {
    const name = pending.pop() ?? ''
    if (name === '' || name === '.') continue
    if (name === '..') {
      at = parentPath(at)
      entry = await tree.lstat(at)
      continue
    }
    if (entry !== undefined && entry.type !== 'directory')
      throw buildError('build.copy_failed', `/${textOfBytes(at)} is not a directory, on the way to /${textOfBytes(path)}`)
    const next = joinPath(at, name)
    const found = entry === undefined ? undefined : await tree.lstat(next)
    if (found?.type === 'symlink' && (followsLast || pending.some((rest) => rest !== '' && rest !== '.'))) {
      links += 1
      if (links > MAX_SYMLINKS)
        throw buildError('build.copy_failed', `too many symbolic links on the way to /${textOfBytes(path)}`)
      if (found.linkname.startsWith('/')) at = '' as ByteString
      entry = await tree.lstat(at)
      pending.push(...found.linkname.split('/').toReversed())
      continue
    }
    at = next
    entry = found
  }
  return { path: at, entry }
}

/** Reads a small file through links, or gives undefined when it is not there. */
export async function readSmallFile(tree: FileTree, path: ByteString, maxBytes: number): Promise<Buffer | undefined> {
  const found = await resolvePath(tree, path, true)
  if (found.entry?.type !== 'file') return undefined
  if (found.entry.sizeBytes > maxBytes)
    throw buildError('build.copy_failed', `/${textOfBytes(path)} has ${found.entry.sizeBytes} bytes, more than ${maxBytes}`)
  const chunks: Buffer[] = []
  for await (const chunk of tree.read(found.path)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
