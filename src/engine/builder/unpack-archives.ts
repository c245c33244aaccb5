import { createGunzip, createZstdDecompress } from 'node:zlib'
import { pipeline } from 'node:stream'

import { isKind, type Random } from '#base'
import { BLOCK_BYTES, tarPushScanner, textOfBytes } from '#oci/tar'

import { archiveTree } from './context.ts'
import { indexArchive, type ArchiveIndex } from './context-index.ts'
import type { FileTree } from './file-tree.ts'
import { isEmptyTar } from './layer-items.ts'
import { MAX_UNPACKED_BYTES } from './limits.ts'
import { archiveFormat, peek, receiveArchive } from './receive-archive.ts'
import type { Decompress } from './remote/index.ts'
import { selectSources, type SelectedSource } from './select-sources.ts'
import { openSpool, type Spool } from './spool.ts'

export interface UnpackOptions {
  readonly spoolDirectory: string
  readonly random: Random
  readonly decompress: Decompress
}

export interface SplitSources extends AsyncDisposable {
  readonly plain: readonly SelectedSource[]
  readonly unpacked: readonly SelectedSource[]
}

/**
 * Tells the archives among the sources of ADD by their content (tar, alone or compressed) and opens them as trees. A link inside
 * an archive is never followed: what stands below one is refused. Throws `build.copy_failed`, `build.program_missing` for xz and bzip2.
 */
export async function splitArchives(selected: readonly SelectedSource[], options: UnpackOptions): Promise<SplitSources> {
  await using open = new AsyncDisposableStack()
  const plain: SelectedSource[] = []
  const unpacked: SelectedSource[] = []
  for (const source of selected) {
    const tree = await openArchive(source, options, open)
    if (tree === undefined) plain.push(source)
    else unpacked.push(...(await selectSources(tree, { sources: ['/'], excludes: [], keepsParents: false })))
  }
  const kept = open.move()
  return { plain, unpacked, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** What an archive holds; undefined when the source is none. */
export async function openArchive(
  source: SelectedSource,
  options: UnpackOptions,
  open: AsyncDisposableStack,
): Promise<FileTree | undefined> {
  const found = await unpackedArchive(source, options, open)
  return found === undefined ? undefined : archiveTree(found.index, found.spool)
}

/** As `openArchive`, with where its files lie. */
export async function unpackedArchive(
  source: Pick<SelectedSource, 'tree' | 'path' | 'entry'>,
  options: UnpackOptions,
  open: AsyncDisposableStack,
): Promise<{ readonly index: ArchiveIndex; readonly spool: Spool } | undefined> {
  if (!(await isArchive(source, options.decompress))) return undefined
  const spool = open.use(await openSpool(options.spoolDirectory, options.random))
  const what = `the archive ${textOfBytes(source.path)}`
  const limits = { what, maxBytes: MAX_UNPACKED_BYTES, decompress: options.decompress }
  const received = await receiveArchive(source.tree.read(source.path), spool, limits)
  return { index: indexArchive(received.entries, received.sha256Of, 'build.copy_failed'), spool }
}

async function isArchive(source: Pick<SelectedSource, 'tree' | 'path' | 'entry'>, decompress: Decompress): Promise<boolean> {
  if (source.entry.type !== 'file') return false
  const { head, whole } = await peek(source.tree.read(source.path), BLOCK_BYTES)
  const format = archiveFormat(head)
  if (format === 'plain') return isTarHead(head)
  if (format === 'xz' || format === 'bzip2') return await startsWithTar(decompress(format, whole))
  const decompressor = format === 'gzip' ? createGunzip() : createZstdDecompress()
  pipeline(whole, decompressor, () => undefined)
  try {
    return isTarHead((await peek(decompressor, BLOCK_BYTES)).head)
  } catch {
    return false
  } finally {
    decompressor.destroy()
  }
}

async function startsWithTar(chunks: AsyncIterable<Buffer>): Promise<boolean> {
  try {
    const { head, whole } = await peek(chunks, BLOCK_BYTES)
    // Ends the program: the rest is not wanted here.
    for await (const _chunk of whole) break
    return isTarHead(head)
  } catch (error) {
    if (isKind(error, 'unsupported')) throw error
    return false
  }
}

/** A block whose checksum and fields are those of a tar header. */
function isTarHead(head: Buffer): boolean {
  if (head.length < BLOCK_BYTES || isEmptyTar(head)) return false
  try {
    tarPushScanner(() => undefined).push(head)
    return true
  } catch {
    return false
  }
}
