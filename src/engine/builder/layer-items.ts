import { packTar, TAR_END, textOfBytes, type ByteString, type TarMember } from '#oci/tar'

import { directoryEntry, parentPath, type FileTree, type TreeEntry } from './file-tree.ts'
import { LAYER_CHUNK_BYTES } from './limits.ts'
import type { Owner } from './owners.ts'
import { buildError } from './errors.ts'

export interface LayerItem {
  readonly entry: TreeEntry
  /** Of a file: exactly `sizeBytes`. */
  readonly body: (() => AsyncIterable<Buffer> | Iterable<Buffer>) | undefined
}

/** The content of a layer while it is put together. Paths hold no links: they are resolved before. */
export interface LayerDraft {
  /** Puts an item at a path, and the directories above it as they are in the root, or new. */
  put(path: ByteString, item: LayerItem): Promise<void>
  /** Makes sure of a directory, without touching one that is there. */
  ensureDirectory(path: ByteString, fresh: TreeEntry): Promise<void>
  readonly items: ReadonlyMap<ByteString, LayerItem>
}

/**
 * Directories of the root that a layer writes into are written down again with their own mode and owner: the upper entry of a directory
 * decides how the merged one looks. New ones get `owner`.
 */
export function layerDraft(root: FileTree, owner: Owner, mtimeS: number): LayerDraft {
  const items = new Map<ByteString, LayerItem>()
  const isInRoot = new Map<ByteString, boolean>()

  const rootEntry = async (path: ByteString): Promise<TreeEntry | undefined> => {
    if (path !== '' && isInRoot.get(parentPath(path)) === false) {
      isInRoot.set(path, false)
      return undefined
    }
    const entry = await root.lstat(path)
    if (entry?.type === 'directory' || entry === undefined) isInRoot.set(path, entry !== undefined)
    return entry
  }
  const ensureDirectory = async (path: ByteString, fresh: TreeEntry): Promise<void> => {
    const known = items.get(path)
    if (known?.entry.type === 'directory') return
    if (known !== undefined) throw notDirectory(path)
    if (path !== '') await ensureDirectory(parentPath(path), newDirectory)
    const existing = await rootEntry(path)
    if (existing !== undefined && existing.type !== 'directory') throw notDirectory(path)
    items.set(path, { entry: existing ?? fresh, body: undefined })
  }
  const newDirectory = directoryEntry({ ...owner, mtimeS })

  const put = async (path: ByteString, item: LayerItem): Promise<void> => {
    if (path !== '') await ensureDirectory(parentPath(path), newDirectory)
    const isDirectory = item.entry.type === 'directory'
    const before = items.get(path)?.entry ?? (await rootEntry(path))
    if (before !== undefined && isDirectory && before.type !== 'directory') throw notDirectory(path)
    if (before?.type === 'directory' && !isDirectory)
      throw buildError('build.copy_failed', `/${textOfBytes(path)} is a directory and cannot become a ${item.entry.type}`)
    items.set(path, item)
  }
  return { put, ensureDirectory, items }
}

function notDirectory(path: ByteString) {
  return buildError('build.copy_failed', `cannot copy a directory to /${textOfBytes(path)}, which is not one`, {
    hint: 'Copy into the directory that it links to, or remove it in a RUN step before.',
  })
}

/** The tar of a layer: sorted by path, numbers for owners, times in whole seconds and not after `epochS`. */
export async function* layerTar(items: ReadonlyMap<ByteString, LayerItem>, epochS: number | undefined): AsyncGenerator<Buffer> {
  yield* coalesced(packTar(members(items, epochS)))
}

function* members(items: ReadonlyMap<ByteString, LayerItem>, epochS: number | undefined): Generator<TarMember> {
  for (const path of [...items.keys()].toSorted()) {
    const item = items.get(path)
    if (item === undefined || (path === '' && isPlainRoot(item.entry))) continue
    const { type, mode, uid, gid, linkname, xattrs, sizeBytes, mtimeS } = item.entry
    if (type === 'char' || type === 'block')
      throw buildError('build.copy_failed', `/${textOfBytes(path)} is a device, which cannot be copied`)
    const entry = {
      path,
      type,
      mode,
      uid,
      gid,
      linkname,
      xattrs,
      mtimeS: epochS === undefined ? mtimeS : Math.min(mtimeS, epochS),
    }
    yield type === 'file' && item.body !== undefined ? { entry: { ...entry, size: sizeBytes }, body: item.body() } : { entry }
  }
}

/** What a layer without an entry for its root is taken to have. */
function isPlainRoot(entry: TreeEntry): boolean {
  return entry.mode === 0o755 && entry.uid === 0 && entry.gid === 0
}

/** Gathers small chunks, so that a layer of small files costs few writes. */
export async function* coalesced(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    gathered.push(chunk)
    length += chunk.length
    if (length < LAYER_CHUNK_BYTES) continue
    yield Buffer.concat(gathered, length)
    gathered = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(gathered, length)
}

/** True for a tar without entries, looking at its first block only. */
export function isEmptyTar(head: Buffer): boolean {
  return head.length === 0 || head.equals(TAR_END.subarray(0, head.length))
}
