import type { ByteString } from '#oci/tar'

import { BLOCK_BYTES, DIRENT_BYTES, DIRENT_TYPES } from './format.ts'
import type { LayerDirectory } from './tree.ts'

/** How the names of a directory fill its blocks. */
export interface DirectoryPacking {
  /** `.`, `..` and the children, in byte order as the kernel's binary search wants them. */
  readonly names: readonly ByteString[]
  /** Index of the first name of each block. */
  readonly blockStarts: readonly number[]
  /** Up to the end of the last name. */
  readonly size: number
}

/** A block holds its entries first and their names behind; none crosses into the next block. */
export function packDirectory(directory: LayerDirectory): DirectoryPacking {
  const names = ['.', '..', ...directory.children.keys()].sort() as ByteString[]
  const blockStarts: number[] = [0]
  let used = 0
  for (const [index, name] of names.entries()) {
    const cost = DIRENT_BYTES + name.length
    if (used + cost > BLOCK_BYTES) {
      blockStarts.push(index)
      used = 0
    }
    used += cost
  }
  return { names, blockStarts, size: (blockStarts.length - 1) * BLOCK_BYTES + used }
}

export interface DirentTarget {
  readonly nid: number
  readonly type: keyof typeof DIRENT_TYPES
}

/** Writes block `block` of the directory at `at`. Space behind the last name must be zero: a short last name ends there. */
export function writeDirentBlock(
  out: DataView,
  at: number,
  packing: DirectoryPacking,
  block: number,
  targetOf: (name: ByteString) => DirentTarget,
): void {
  const first = packing.blockStarts[block] ?? 0
  const end = packing.blockStarts[block + 1] ?? packing.names.length
  let nameOffset = (end - first) * DIRENT_BYTES
  for (let index = first; index < end; index += 1) {
    const name = packing.names[index] as ByteString
    const { nid, type } = targetOf(name)
    const entry = at + (index - first) * DIRENT_BYTES
    out.setUint32(entry, nid % 0x1_0000_0000, true)
    out.setUint32(entry + 4, Math.floor(nid / 0x1_0000_0000), true)
    out.setUint16(entry + 8, nameOffset, true)
    out.setUint8(entry + 10, DIRENT_TYPES[type])
    for (let byte = 0; byte < name.length; byte += 1) out.setUint8(at + nameOffset + byte, name.charCodeAt(byte))
    nameOffset += name.length
  }
}
