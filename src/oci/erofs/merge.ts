import { EMPTY_BYTES, MAX_DEPTH, type ByteString, type TarEntry, type TarXattr } from '#oci/tar'

import { pathError } from './errors.ts'
import { MAX_DEVICE_MAJOR, MAX_DEVICE_MINOR, MAX_SYMLINK_HOPS, MAX_WALK_STEPS } from './limits.ts'
import { isDirectory, OPAQUE_XATTR, whiteoutNode, type LayerDirectory, type LayerNode, type LayerTree } from './tree.ts'
import { meaningOfName } from './whiteout.ts'
import { keptXattrs } from './xattr-names.ts'

/** Builds the tree of one layer from its entries, in archive order. */
export interface LayerMerge {
  add(entry: TarEntry): void
  /** After the last entry. */
  finish(): LayerTree
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

interface Directory extends Mutable<Omit<LayerDirectory, 'children'>> {
  children: Map<ByteString, LayerNode>
  /** Names that the layer whites out; decided at the end, since markers apply to the layers below wherever they stand. */
  whiteouts: Set<ByteString> | undefined
  isOpaque: boolean
}

const NO_XATTRS: readonly TarXattr[] = Object.freeze([])
const OPAQUE: TarXattr = Object.freeze({ name: OPAQUE_XATTR, value: Buffer.from('y') })

/**
 * A later entry replaces an earlier one of the same name; a directory over a directory keeps what is inside. Parents that the archive
 * leaves out are made, as 0755 of root. A symlink on the way to a name is followed inside the layer, as if the layer's root were `/`;
 * the last component never is. A hard link needs its target to be in the layer already.
 */
export function layerMerge(): LayerMerge {
  const root = emptyDirectory()
  const walk = layerWalk(root)
  let entries = 0
  let isRootExplicit = false
  let lastParentPath: ByteString | undefined
  let lastParent: Directory = root

  const parentOf = (path: ByteString): Directory => {
    const slash = path.lastIndexOf('/')
    const parentPath = (slash === -1 ? EMPTY_BYTES : path.slice(0, slash)) as ByteString
    // Neighbours in an archive mostly share their parent.
    if (parentPath === lastParentPath) return lastParent
    lastParent = resolveDirectory(walk, parentPath, path)
    lastParentPath = parentPath
    return lastParent
  }

  const place = (parent: Directory, name: ByteString, node: LayerNode) => {
    const old = parent.children.get(name)
    // What has been resolved may have led through the thing that goes away.
    if (old !== undefined && (isDirectory(old) || old.type === 'symlink')) lastParentPath = undefined
    parent.children.set(name, node)
  }

  const addDirectory = (parent: Directory, name: ByteString, entry: TarEntry) => {
    const old = parent.children.get(name)
    if (old !== undefined && isDirectory(old)) describe(old as Directory, entry)
    else {
      const made = emptyDirectory()
      describe(made, entry)
      place(parent, name, made)
    }
  }

  const link = (parent: Directory, name: ByteString, entry: TarEntry) => {
    const target = findNode(walk, entry.linkname, entry.path)
    if (target === undefined)
      throw pathError(
        'layer.link_target_missing',
        entry.path,
        `hard link to ${JSON.stringify(entry.linkname)}, which no entry before it made`,
      )
    if (isDirectory(target)) throw pathError('layer.link_target_missing', entry.path, 'hard link to a directory')
    if (target !== parent.children.get(name)) place(parent, name, target)
    else if (entry.path === entry.linkname) throw pathError('layer.link_target_missing', entry.path, 'hard link to itself')
  }

  return {
    add: (entry) => {
      entries += 1
      if (entry.path === '') {
        isRootExplicit = true
        return describe(root, entry)
      }
      const parent = parentOf(entry.path)
      const name = entry.path.slice(entry.path.lastIndexOf('/') + 1) as ByteString
      const meaning = meaningOfName(name)
      if (meaning.kind === 'invalid') throw pathError('layer.whiteout_invalid', entry.path, meaning.problem)
      if (meaning.kind !== 'plain') {
        if (entry.type !== 'file') throw pathError('layer.whiteout_invalid', entry.path, `whiteout that is a ${entry.type}`)
        if (meaning.kind === 'opaque') parent.isOpaque = true
        else (parent.whiteouts ??= new Set()).add(meaning.name)
      } else if (entry.type === 'directory') addDirectory(parent, name, entry)
      else if (entry.type === 'hardlink') link(parent, name, entry)
      // A device 0:0 is how overlayfs writes a whiteout; layers say that with names, so such a node is not passed on.
      else if (entry.type !== 'char' || entry.devMajor !== 0 || entry.devMinor !== 0) place(parent, name, nodeOf(entry))
    },
    finish: () => ({ root, isRootOpaque: root.isOpaque, isRootExplicit, entries, fileBytes: settle(root) }),
  }
}

function emptyDirectory(): Directory {
  return {
    type: 'directory',
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeS: 0,
    mtimeNs: 0,
    target: EMPTY_BYTES,
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
    dataOffset: 0,
    children: new Map(),
    whiteouts: undefined,
    isOpaque: false,
  }
}

function describe(directory: Directory, entry: TarEntry): void {
  directory.mode = entry.mode
  directory.uid = entry.uid
  directory.gid = entry.gid
  directory.mtimeS = entry.mtimeS
  directory.mtimeNs = entry.mtimeNs
  directory.xattrs = keptXattrs('directory', entry.xattrs)
}

function nodeOf(entry: TarEntry): LayerNode {
  if (entry.devMajor > MAX_DEVICE_MAJOR || entry.devMinor > MAX_DEVICE_MINOR)
    throw pathError('layer.limit', entry.path, `device ${entry.devMajor}:${entry.devMinor} is out of Linux's range`)
  return {
    type: entry.type === 'hardlink' || entry.type === 'directory' ? 'file' : entry.type,
    mode: entry.type === 'symlink' ? 0o777 : entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtimeS: entry.mtimeS,
    mtimeNs: entry.mtimeNs,
    target: entry.linkname,
    devMajor: entry.devMajor,
    devMinor: entry.devMinor,
    xattrs: keptXattrs(entry.type, entry.xattrs),
    dataOffset: entry.dataOffset,
  }
}

/** The directory that a path means, with links followed inside the layer and missing directories made. `of` is for errors. */
function resolveDirectory(walk: Walk, path: ByteString, of: ByteString): Directory {
  const found = walk(path, of, (parent, name) => {
    const made = emptyDirectory()
    parent.children.set(name, made)
    return made
  })
  if (found === undefined) throw pathError('layer.parent_not_directory', of, 'its parent is not a directory')
  return found
}

/** The node of a name without following it, or undefined. */
function findNode(walk: Walk, path: ByteString, of: ByteString): LayerNode | undefined {
  const slash = path.lastIndexOf('/')
  const parent = walk((slash === -1 ? '' : path.slice(0, slash)) as ByteString, of, () => undefined)
  return parent?.children.get(path.slice(slash + 1) as ByteString)
}

type Walk = (
  path: ByteString,
  of: ByteString,
  missing: (parent: Directory, name: ByteString) => Directory | undefined,
) => Directory | undefined

/** Goes down component by component as a process chrooted to the layer would. Gives undefined where `missing` does. */
function layerWalk(root: Directory): Walk {
  let steps = 0
  return (path, of, missing) => {
    const stack: Directory[] = [root]
    const ahead = componentsAhead(path)
    let hops = 0
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      steps += 1
      if (steps > MAX_WALK_STEPS)
        throw pathError('layer.limit', of, `names of the layer take more than ${MAX_WALK_STEPS} steps to follow`)
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (stack.length > 1) stack.pop()
        continue
      }
      if (meaningOfName(name).kind !== 'plain')
        throw pathError('layer.whiteout_invalid', of, `lies below the whiteout name ${JSON.stringify(name)}`)
      const here = stack.at(-1) ?? root
      const child = here.children.get(name) ?? missing(here, name)
      if (child === undefined) return undefined
      if (isDirectory(child)) stack.push(child as Directory)
      else if (child.type === 'symlink') {
        hops += 1
        if (hops > MAX_SYMLINK_HOPS)
          throw pathError('layer.symlink_loop', of, `more than ${MAX_SYMLINK_HOPS} symlinks on the way to it`)
        if (child.target.startsWith('/')) stack.length = 1
        ahead.push(...componentsAhead(child.target))
      } else throw pathError('layer.parent_not_directory', of, `${JSON.stringify(name)} on the way to it is a ${child.type}`)
      if (stack.length > MAX_DEPTH) throw pathError('layer.limit', of, `lies more than ${MAX_DEPTH} directories deep`)
    }
    return stack.at(-1)
  }
}

/** Last component first, to be popped. */
function componentsAhead(path: ByteString): ByteString[] {
  return (path === '' ? [] : path.split('/').toReversed()) as ByteString[]
}

/** Turns markers into what overlayfs reads. Gives the bytes of all files. */
function settle(root: Directory): number {
  const whiteout = whiteoutNode()
  const counted = new Set<LayerNode>()
  let bytes = 0
  const open: Directory[] = [root]
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const name of directory.whiteouts ?? []) {
      const present = directory.children.get(name)
      // Named and hidden in one layer: the new thing shows, and a new directory shows nothing of the one below.
      if (present === undefined) directory.children.set(name, whiteout)
      else if (isDirectory(present)) (present as Directory).isOpaque = true
    }
    for (const child of directory.children.values()) {
      if (isDirectory(child)) open.push(child as Directory)
      else if (child.type === 'file' && !counted.has(child)) {
        counted.add(child)
        bytes += child.size
      }
    }
    if (directory.isOpaque) directory.xattrs = [...directory.xattrs, OPAQUE]
    directory.whiteouts = undefined
  }
  return bytes
}
