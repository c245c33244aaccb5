import { invariant } from '#base'
import type { ByteString } from '#oci/tar'

import { crc32c } from './crc32c.ts'
import { writeDirentBlock, type DirentTarget } from './dirents.ts'
import * as format from './format.ts'
import { contentSize, planIndex, type IndexPlan, type PlannedInode } from './plan.ts'
import { isDirectory, type LayerTree } from './tree.ts'

export interface ErofsIndexOptions {
  /** Size of the tar that the index will be mounted over. */
  readonly contentBytes: number
  /** Identity of the layer, as 64 hexadecimal digits: it becomes the volume's UUID and the tag of its device. */
  readonly identity: string
}

/** The index is handed out in pieces of about this size. */
const PIECE_BYTES = 1024 * 1024

/**
 * The bytes of an EROFS file system that holds the metadata of the layer and takes file contents from the layer's tar, as its
 * device 1. The same tree gives the same bytes.
 */
export function* erofsIndex(tree: LayerTree, options: ErofsIndexOptions): Generator<Buffer, void, undefined> {
  const plan = planIndex(tree)
  const out = pieces()
  writeSuper(out.view, plan, options)
  out.skipTo(format.DEVICE_SLOT_OFFSET + format.DEVICE_SLOT_BYTES)
  for (const inode of plan.inodes) {
    if (out.needsRoom(inode.position, roomFor(inode))) yield out.take()
    writeInode(out, inode, plan)
  }
  const sharedStart = plan.sharedXattrsBlock * format.BLOCK_BYTES
  if (out.needsRoom(sharedStart, 0)) yield out.take()
  out.skipTo(sharedStart)
  for (const entry of plan.sharedXattrs) {
    if (out.needsRoom(out.position(), entry.length)) yield out.take()
    out.append(entry)
  }
  for (const inode of plan.blockOwners) {
    for (let block = 0; block < inode.ownBlocks; block += 1) {
      const position = (inode.firstBlock + block) * format.BLOCK_BYTES
      if (out.needsRoom(position, format.BLOCK_BYTES)) yield out.take()
      out.skipTo(position)
      writeContent(out, inode, plan, block)
      out.skipTo(position + format.BLOCK_BYTES)
    }
  }
  const end = plan.totalBlocks * format.BLOCK_BYTES
  if (out.needsRoom(end, 0)) yield out.take()
  out.skipTo(end)
  yield out.take()
}

/** A window of the file that is being written, moving forward. Unwritten bytes are zero. */
interface Pieces {
  readonly view: DataView
  position(): number
  /** True when the window must be taken before `bytes` bytes at `position` can be written. */
  needsRoom(position: number, bytes: number): boolean
  take(): Buffer
  skipTo(position: number): void
  /** Offset in the window of a position in the file. */
  at(position: number): number
  append(bytes: Buffer): void
}

function pieces(): Pieces {
  const window = Buffer.alloc(PIECE_BYTES)
  const view = new DataView(window.buffer, window.byteOffset, window.byteLength)
  let start = 0
  let end = 0
  return {
    view,
    position: () => end,
    needsRoom: (position, bytes) => position + bytes > start + PIECE_BYTES,
    take: () => {
      if (start === 0) sealSuper(window)
      const piece = Buffer.from(window.subarray(0, end - start))
      window.fill(0, 0, end - start)
      start = end
      return piece
    },
    skipTo: (position) => {
      invariant(position >= end && position <= start + PIECE_BYTES, `index position ${position} lies ahead and in the window`)
      end = position
    },
    at: (position) => position - start,
    append: (bytes) => {
      bytes.copy(window, end - start)
      end += bytes.length
    },
  }
}

/** Gaps before an inode stay below a block; its body has a bound (see the limit of attributes). */
function roomFor(inode: PlannedInode): number {
  return format.EXTENDED_BYTES + (inode.xattrs?.bytes ?? 0) + inode.tailBytes + (inode.chunks + 1) * format.CHUNK_INDEX_BYTES
}

function writeSuper(view: DataView, plan: IndexPlan, { contentBytes, identity }: ErofsIndexOptions): void {
  invariant(/^[0-9a-f]{64}$/.test(identity), `${identity} is 64 hexadecimal digits`)
  const at = format.SUPER_OFFSET
  view.setUint32(at, format.SUPER_MAGIC, true)
  view.setUint32(at + 8, format.COMPAT_SB_CHECKSUM | format.COMPAT_MTIME, true)
  view.setUint8(at + 12, format.BLOCK_BITS)
  view.setUint16(at + 14, plan.root.position / format.INODE_SLOT_BYTES, true)
  view.setBigUint64(at + 16, BigInt(plan.inodes.length), true)
  view.setBigInt64(at + 24, BigInt(plan.buildTime.s), true)
  view.setUint32(at + 32, plan.buildTime.ns, true)
  view.setUint32(at + 36, plan.totalBlocks, true)
  // The metadata area starts at block 0, so no inode number is 0.
  view.setUint32(at + 44, plan.sharedXattrsBlock, true)
  const digits = Buffer.from(identity, 'hex')
  for (let index = 0; index < 16; index += 1) view.setUint8(at + 48 + index, digits[index] ?? 0)
  view.setUint32(at + 80, format.INCOMPAT_CHUNKED_FILE | format.INCOMPAT_DEVICE_TABLE, true)
  view.setUint16(at + 86, 1, true)
  view.setUint16(at + 88, format.DEVICE_SLOT_OFFSET / format.DEVICE_SLOT_BYTES, true)
  for (let index = 0; index < 64; index += 1) view.setUint8(format.DEVICE_SLOT_OFFSET + index, identity.charCodeAt(index))
  view.setUint32(format.DEVICE_SLOT_OFFSET + 64, Math.ceil(contentBytes / format.BLOCK_BYTES), true)
}

/** The checksum covers the rest of the superblock's block, inodes there included, with its own field as zero. */
function sealSuper(window: Buffer): void {
  const sum = crc32c(window.subarray(format.SUPER_OFFSET, format.SUPER_OFFSET + format.BLOCK_BYTES))
  window.writeUInt32LE(sum, format.SUPER_OFFSET + 4)
}

function writeInode(out: Pieces, inode: PlannedInode, plan: IndexPlan): void {
  out.skipTo(inode.position)
  const head = inode.isExtended ? format.EXTENDED_BYTES : format.COMPACT_BYTES
  writeInodeHead(out.view, out.at(inode.position), inode)
  out.skipTo(inode.position + head)
  writeXattrs(out, inode)
  if (inode.tailBytes > 0) {
    const tailStart = out.position()
    writeContent(out, inode, plan, inode.ownBlocks)
    out.skipTo(tailStart + inode.tailBytes)
  } else if (inode.chunks > 0) writeChunks(out, inode)
}

/** `struct erofs_inode_compact` and `struct erofs_inode_extended`. */
function writeInodeHead(view: DataView, at: number, inode: PlannedInode): void {
  const { node, isExtended } = inode
  const size = node.type === 'file' ? node.size : contentSize(inode)
  view.setUint16(at, (isExtended ? 1 : 0) | (inode.layout << 1), true)
  view.setUint16(at + 2, inode.xattrs === undefined ? 0 : (inode.xattrs.bytes - format.XATTR_HEADER_BYTES) / 4 + 1, true)
  view.setUint16(at + 4, format.MODE_BITS[node.type] | node.mode, true)
  view.setUint32(at + 16, contentAddress(inode), true)
  view.setUint32(at + 20, inode.number, true)
  if (!isExtended) {
    view.setUint16(at + 6, inode.links, true)
    view.setUint32(at + 8, size, true)
    view.setUint16(at + 24, node.uid, true)
    view.setUint16(at + 26, node.gid, true)
    return
  }
  view.setUint32(at + 8, size % 0x1_0000_0000, true)
  view.setUint32(at + 12, Math.floor(size / 0x1_0000_0000), true)
  view.setUint32(at + 24, node.uid, true)
  view.setUint32(at + 28, node.gid, true)
  view.setUint32(at + 32, node.mtimeS >>> 0, true)
  view.setInt32(at + 36, Math.floor(node.mtimeS / 0x1_0000_0000), true)
  view.setUint32(at + 40, node.mtimeNs, true)
  view.setUint32(at + 44, inode.links, true)
}

/** `union erofs_inode_i_u`: chunk format, device number or first block. */
function contentAddress(inode: PlannedInode): number {
  const { node } = inode
  if (inode.chunks > 0) return format.CHUNK_FORMAT_INDEXES | inode.chunkShift
  if (node.type === 'char' || node.type === 'block') return encodeDevice(node.devMajor, node.devMinor)
  return node.type === 'fifo' ? 0 : inode.firstBlock
}

/** `new_encode_dev` of Linux. */
function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

function writeXattrs(out: Pieces, { xattrs }: PlannedInode): void {
  if (xattrs === undefined) return
  const start = out.position()
  const at = out.at(start)
  out.view.setUint8(at + 4, xattrs.sharedIds.length)
  for (const [index, id] of xattrs.sharedIds.entries()) out.view.setUint32(at + format.XATTR_HEADER_BYTES + index * 4, id, true)
  out.skipTo(start + format.XATTR_HEADER_BYTES + 4 * xattrs.sharedIds.length)
  for (const entry of xattrs.inline) out.append(entry)
}

/** `struct erofs_inode_chunk_index`: 2 bytes unused, device, block. */
function writeChunks(out: Pieces, inode: PlannedInode): void {
  const start = Math.ceil(out.position() / format.CHUNK_INDEX_BYTES) * format.CHUNK_INDEX_BYTES
  for (let chunk = 0; chunk < inode.chunks; chunk += 1) {
    const at = out.at(start) + chunk * format.CHUNK_INDEX_BYTES
    out.view.setUint16(at + 2, format.TAR_DEVICE, true)
    out.view.setUint32(at + 4, inode.firstBlock + chunk * 2 ** inode.chunkShift, true)
  }
  out.skipTo(start + inode.chunks * format.CHUNK_INDEX_BYTES)
}

/** Block `block` of a directory or of a symlink's target, at the current position. */
function writeContent(out: Pieces, inode: PlannedInode, plan: IndexPlan, block: number): void {
  const { node, packing } = inode
  const at = out.at(out.position())
  if (packing !== undefined) return writeDirentBlock(out.view, at, packing, block, (name) => direntTarget(inode, name, plan))
  const part = node.target.slice(block * format.BLOCK_BYTES, (block + 1) * format.BLOCK_BYTES)
  for (let index = 0; index < part.length; index += 1) out.view.setUint8(at + index, part.charCodeAt(index))
}

function direntTarget(directory: PlannedInode, name: ByteString, plan: IndexPlan): DirentTarget {
  const inode = inodeNamed(directory, name, plan)
  return { nid: inode.position / format.INODE_SLOT_BYTES, type: inode.node.type }
}

function inodeNamed(directory: PlannedInode, name: ByteString, plan: IndexPlan): PlannedInode {
  if (name === '.') return directory
  if (name === '..') return directory.parent ?? directory
  const child = isDirectory(directory.node) ? directory.node.children.get(name) : undefined
  const inode = child === undefined ? undefined : plan.inodeOf.get(child)
  invariant(inode !== undefined, `every child has an inode`)
  return inode
}
