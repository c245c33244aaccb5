import { invariant } from '#base'

import { packDirectory, type DirectoryPacking } from './dirents.ts'
import { layerError } from './errors.ts'
import {
  BLOCK_BYTES,
  CHUNK_INDEX_BYTES,
  COMPACT_BYTES,
  DEVICE_SLOT_BYTES,
  DEVICE_SLOT_OFFSET,
  EXTENDED_BYTES,
  INODE_SLOT_BYTES,
  LAYOUT_CHUNK_BASED,
  LAYOUT_FLAT_INLINE,
  LAYOUT_FLAT_PLAIN,
  MAX_CHUNK_SHIFT,
  NO_BLOCK,
} from './format.ts'
import { MAX_CONTENT_BLOCKS } from './limits.ts'
import { isDirectory, type LayerDirectory, type LayerNode, type LayerTree } from './tree.ts'
import { xattrPool, type XattrBody } from './xattrs.ts'

/** Where everything goes. */
export interface IndexPlan {
  /** In the order of their places. */
  readonly inodes: readonly PlannedInode[]
  readonly root: PlannedInode
  readonly inodeOf: ReadonlyMap<LayerNode, PlannedInode>
  readonly sharedXattrs: readonly Buffer[]
  readonly sharedXattrsBlock: number
  /** Inodes with blocks of their own, in the order of these. */
  readonly blockOwners: readonly PlannedInode[]
  readonly totalBlocks: number
  /** What compact inodes have as their modification time. */
  readonly buildTime: { readonly s: number; readonly ns: number }
}

export interface PlannedInode {
  readonly node: LayerNode
  readonly parent: PlannedInode | undefined
  readonly packing: DirectoryPacking | undefined
  links: number
  number: number
  position: number
  layout: number
  isExtended: boolean
  xattrs: XattrBody | undefined
  /** Of what follows the inode inline: the end of a directory, or a symlink's target. */
  tailBytes: number
  chunkShift: number
  chunks: number
  firstBlock: number
  /** In the index file, for directories and long symlinks. */
  ownBlocks: number
}

/**
 * Inodes that must fill a gap before a block border wait here, at most so many, so that files stay near their directory.
 * Inodes with a tail may not cross a border, those without may.
 */
const MAX_WAITING = 256

export function planIndex(tree: LayerTree): IndexPlan {
  const inodeOf = collect(tree.root)
  const inodes = [...inodeOf.values()]
  const buildTime = commonTime(inodes)
  const pool = xattrPool()
  for (const inode of inodes) pool.count(inode.node.xattrs)
  for (const inode of inodes) {
    inode.xattrs = pool.body(inode.node.xattrs)
    shape(inode, buildTime)
  }
  const { placed, end } = place(inodes)
  const sharedXattrsBlock = blocksOf(end)
  let nextBlock = sharedXattrsBlock + blocksOf(pool.sharedBytes())
  const blockOwners = placed.filter((inode) => inode.ownBlocks > 0)
  for (const inode of blockOwners) {
    inode.firstBlock = nextBlock
    nextBlock += inode.ownBlocks
  }
  const root = inodeOf.get(tree.root)
  invariant(root !== undefined && root.position / INODE_SLOT_BYTES < 0x1_0000, 'the root inode is near the start')
  return {
    inodes: placed,
    root,
    inodeOf,
    sharedXattrs: pool.shared(),
    sharedXattrsBlock,
    blockOwners,
    totalBlocks: nextBlock,
    buildTime,
  }
}

/** One inode for each node, in the order in which `ls -R` would meet them; counts names. */
function collect(rootNode: LayerDirectory): Map<LayerNode, PlannedInode> {
  const inodeOf = new Map<LayerNode, PlannedInode>()
  const add = (node: LayerNode, parent: PlannedInode | undefined): PlannedInode => {
    const inode = plannedInode(node, parent, inodeOf.size + 1)
    inodeOf.set(node, inode)
    return inode
  }
  const open: PlannedInode[] = [add(rootNode, undefined)]
  for (let inode = open.pop(); inode !== undefined; inode = open.pop()) {
    const { node, packing } = inode
    if (packing === undefined || !isDirectory(node)) continue
    const below: PlannedInode[] = []
    for (const name of packing.names) {
      const child = node.children.get(name)
      if (child === undefined) continue
      const known = inodeOf.get(child)
      if (known !== undefined) known.links += 1
      else {
        const made = add(child, inode)
        if (isDirectory(child)) {
          inode.links += 1
          below.push(made)
        }
      }
    }
    open.push(...below.toReversed())
  }
  return inodeOf
}

function plannedInode(node: LayerNode, parent: PlannedInode | undefined, number: number): PlannedInode {
  const isDir = isDirectory(node)
  return {
    node,
    parent,
    packing: isDir ? packDirectory(node) : undefined,
    links: isDir ? 2 : 1,
    number,
    position: 0,
    layout: LAYOUT_FLAT_PLAIN,
    isExtended: false,
    xattrs: undefined,
    tailBytes: 0,
    chunkShift: 0,
    chunks: 0,
    firstBlock: NO_BLOCK,
    ownBlocks: 0,
  }
}

/** The time that most inodes have: these can do with half the space. */
function commonTime(inodes: readonly PlannedInode[]): { s: number; ns: number } {
  const counts = new Map<string, number>()
  let best = { s: 0, ns: 0 }
  let bestCount = 0
  for (const { node } of inodes) {
    const key = `${node.mtimeS}.${node.mtimeNs}`
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count <= bestCount) continue
    bestCount = count
    best = { s: node.mtimeS, ns: node.mtimeNs }
  }
  return best
}

/** Size and form of the inode: everything but its place. */
function shape(inode: PlannedInode, buildTime: { s: number; ns: number }): void {
  const { node } = inode
  inode.isExtended =
    node.mtimeS !== buildTime.s ||
    node.mtimeNs !== buildTime.ns ||
    node.uid > 0xffff ||
    node.gid > 0xffff ||
    inode.links > 0xffff ||
    node.size > 0xffff_ffff
  if (node.type === 'file') return shapeFile(inode)
  const size = contentSize(inode)
  if (size === 0) return
  const blocks = blocksOf(size)
  const tail = size - (blocks - 1) * BLOCK_BYTES
  const fitsInline = headBytes(inode) + tail <= BLOCK_BYTES
  inode.layout = fitsInline ? LAYOUT_FLAT_INLINE : LAYOUT_FLAT_PLAIN
  inode.tailBytes = fitsInline ? tail : 0
  inode.ownBlocks = fitsInline ? blocks - 1 : blocks
}

/** Of what the index itself holds. */
export function contentSize({ node, packing }: PlannedInode): number {
  if (packing !== undefined) return packing.size
  return node.type === 'symlink' ? node.target.length : 0
}

/** One chunk for the whole file wherever its form allows: 1 TiB. */
function shapeFile(inode: PlannedInode): void {
  const { node } = inode
  if (node.size === 0) return
  const blocks = blocksOf(node.size)
  if (node.dataOffset / BLOCK_BYTES + blocks > MAX_CONTENT_BLOCKS)
    throw layerError(
      'layer.limit',
      `a file ends at byte ${node.dataOffset + node.size} of the layer, past ${MAX_CONTENT_BLOCKS} blocks`,
    )
  inode.layout = LAYOUT_CHUNK_BASED
  inode.chunkShift = Math.min(MAX_CHUNK_SHIFT, Math.ceil(Math.log2(blocks)))
  inode.chunks = Math.ceil(blocks / 2 ** inode.chunkShift)
  inode.firstBlock = node.dataOffset / BLOCK_BYTES
}

function headBytes(inode: PlannedInode): number {
  return (inode.isExtended ? EXTENDED_BYTES : COMPACT_BYTES) + (inode.xattrs?.bytes ?? 0)
}

function inodeBytes(inode: PlannedInode): number {
  const head = headBytes(inode)
  return inode.chunks > 0 ? alignTo(head, CHUNK_INDEX_BYTES) + inode.chunks * CHUNK_INDEX_BYTES : head + inode.tailBytes
}

/** Root first; inodes without a tail fill what would be gaps. */
function place(inodes: readonly PlannedInode[]): { placed: PlannedInode[]; end: number } {
  const placed: PlannedInode[] = []
  const waiting: PlannedInode[] = []
  let nextWaiting = 0
  let cursor = DEVICE_SLOT_OFFSET + DEVICE_SLOT_BYTES
  const put = (inode: PlannedInode) => {
    inode.position = cursor
    cursor = alignTo(cursor + inodeBytes(inode), INODE_SLOT_BYTES)
    placed.push(inode)
  }
  const putWaiting = (): boolean => {
    const inode = waiting[nextWaiting]
    if (inode === undefined) return false
    nextWaiting += 1
    put(inode)
    return true
  }
  for (const inode of inodes) {
    if (inode.tailBytes === 0 && inode.parent !== undefined) {
      waiting.push(inode)
      if (waiting.length - nextWaiting > MAX_WAITING) putWaiting()
      continue
    }
    const bytes = inodeBytes(inode)
    const fits = () => inode.tailBytes === 0 || (cursor % BLOCK_BYTES) + bytes <= BLOCK_BYTES
    while (!fits()) if (!putWaiting()) cursor = alignTo(cursor + 1, BLOCK_BYTES)
    put(inode)
  }
  while (putWaiting());
  return { placed, end: cursor }
}

function blocksOf(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES)
}

function alignTo(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}
