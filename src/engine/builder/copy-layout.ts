import { insideRoot } from '#oci/patterns'
import { bytesOfText, textOfBytes, type ByteString } from '#oci/tar'

import { buildError } from './errors.ts'
import { directoryEntry, joinPath, type FileTree, type TreeEntry } from './file-tree.ts'
import { layerDraft, type LayerDraft, type LayerItem } from './layer-items.ts'
import type { ModeChange } from './modes.ts'
import type { Owner } from './owners.ts'
import { resolvePath } from './resolve-path.ts'
import type { SelectedSource } from './select-sources.ts'
import type { InlineFile } from './steps.ts'

const ROOT: Owner = { uid: 0, gid: 0 }

export interface CopyLayout {
  readonly selected: readonly SelectedSource[]
  readonly inlineFiles: readonly InlineFile[]
  /** Trees of archives that ADD unpacks into the destination. */
  readonly unpacked: readonly SelectedSource[]
  /** Absolute; a slash at the end asks for a directory. */
  readonly destination: string
  /** Undefined leaves files of a context to root; those of stages, images and archives keep their owners. */
  readonly owner: Owner | undefined
  readonly keepsOwners: boolean
  readonly mode: ModeChange | undefined
}

/**
 * Lays sources out below the destination, as the Dockerfile reference has it: a directory gives its content and not itself, a file goes
 * into the destination when that is a directory or ends with a slash, else it becomes it. Links on the way to the destination are
 * followed inside the root, links below it are replaced. Throws `build.copy_failed`.
 */
export async function layOut(copy: CopyLayout, root: FileTree): Promise<ReadonlyMap<ByteString, LayerItem>> {
  const owner = copy.owner ?? ROOT
  const draft = layerDraft(root, owner, newestTime(copy))
  const place = await placeFor(copy, root)
  const freshDirectory = directoryEntry({ ...owner, mtimeS: newestTime(copy) })
  for (const source of copy.selected) {
    if (source.entry.type !== 'directory') await draft.put(place.of(source.name), itemOf(source, source.path, source.entry, copy))
    else await layOutDirectory(source, draft, place.directory, copy)
  }
  for (const source of copy.unpacked) {
    await draft.ensureDirectory(place.directory, freshDirectory)
    await layOutArchive(source, draft, root, place.directory, copy)
  }
  for (const file of copy.inlineFiles) await draft.put(place.of(bytesOfText(file.name)), inlineItem(file, owner, copy.mode))
  return draft.items
}

/** A directory that is made, all of its parents included, or nothing when it is there. */
export async function layOutWorkdir(
  path: string,
  root: FileTree,
  ownerOf: () => Promise<Owner>,
  mtimeS: number,
): Promise<ReadonlyMap<ByteString, LayerItem>> {
  const found = await resolvePath(root, bytesOfText(insideRoot(path)), true)
  if (found.entry?.type === 'directory') return new Map()
  if (found.entry !== undefined)
    throw buildError('build.copy_failed', `WORKDIR ${path} is a ${found.entry.type}, not a directory`)
  const owner = await ownerOf()
  const draft = layerDraft(root, owner, mtimeS)
  await draft.ensureDirectory(found.path, directoryEntry({ ...owner, mtimeS }))
  return draft.items
}

interface Destination {
  readonly directory: ByteString
  of(name: ByteString): ByteString
}

async function placeFor(copy: CopyLayout, root: FileTree): Promise<Destination> {
  const found = await resolvePath(root, bytesOfText(insideRoot(copy.destination)), true)
  const isDirectory = found.entry?.type === 'directory' || copy.destination.endsWith('/')
  if (found.entry !== undefined && found.entry.type !== 'directory' && copy.destination.endsWith('/'))
    throw buildError('build.copy_failed', `the destination ${copy.destination} is a ${found.entry.type}, not a directory`)
  const fileCount = copy.selected.length + copy.inlineFiles.length
  if (!isDirectory && fileCount > 1 && copy.selected.some(({ entry }) => entry.type !== 'directory'))
    throw buildError('build.copy_failed', `${fileCount} sources need a destination that ends with /`, {
      hint: `Write ${copy.destination}/ instead.`,
    })
  return { directory: found.path, of: (name) => (isDirectory ? joinPath(found.path, name) : found.path) }
}

async function layOutDirectory(
  source: SelectedSource,
  draft: LayerDraft,
  directory: ByteString,
  copy: CopyLayout,
): Promise<void> {
  await draft.ensureDirectory(directory, itemOf(source, source.path, source.entry, copy).entry)
  for (const item of source.inside)
    await draft.put(joinPath(directory, item.relative), itemOf(source, item.path, item.entry, copy))
}

/** An archive keeps owners unless told otherwise, and is unpacked through links of the root that lead to directories. */
async function layOutArchive(
  source: SelectedSource,
  draft: LayerDraft,
  root: FileTree,
  directory: ByteString,
  copy: CopyLayout,
): Promise<void> {
  for (const item of source.inside) {
    const wanted = joinPath(directory, item.relative)
    const through = await resolvePath(root, wanted, item.entry.type === 'directory')
    const { uid, gid } = copy.owner ?? item.entry
    const mode = modeOf(item.entry, copy)
    const body = item.entry.type === 'file' ? () => source.tree.read(item.path) : undefined
    if (item.entry.type === 'directory' && through.entry?.type === 'directory' && through.path !== wanted) continue
    await draft.put(through.path, { entry: { ...item.entry, uid, gid, mode }, body })
  }
}

function itemOf(source: SelectedSource, path: ByteString, entry: TreeEntry, copy: CopyLayout): LayerItem {
  if (entry.type === 'fifo') throw buildError('build.copy_failed', `${textOfBytes(path)} is a fifo, which cannot be copied`)
  const mode = modeOf(entry, copy)
  const { uid, gid } = copy.owner ?? (copy.keepsOwners ? entry : ROOT)
  const body = entry.type === 'file' ? () => source.tree.read(path) : undefined
  return { entry: { ...entry, uid, gid, mode }, body }
}

function modeOf(entry: TreeEntry, { mode }: CopyLayout): number {
  return mode === undefined || entry.type === 'symlink' ? entry.mode : mode(entry.mode, entry.type)
}

function inlineItem(file: InlineFile, owner: Owner, mode: ModeChange | undefined): LayerItem {
  const content = Buffer.from(file.content)
  const entry: TreeEntry = {
    type: 'file',
    mode: mode === undefined ? 0o644 : mode(0o644, 'file'),
    ...owner,
    sizeBytes: content.length,
    mtimeS: 0,
    linkname: '' as ByteString,
    xattrs: [],
  }
  return { entry, body: () => [content] }
}

/** New directories are as old as the newest thing that is put into them: the layer depends on nothing but its sources. */
function newestTime(copy: CopyLayout): number {
  let newest = 0
  for (const source of [...copy.selected, ...copy.unpacked]) {
    newest = Math.max(newest, source.entry.mtimeS)
    for (const item of source.inside) newest = Math.max(newest, item.entry.mtimeS)
  }
  return newest
}
