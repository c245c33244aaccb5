import assert from 'node:assert/strict'

/**
 * For tests: an EROFS reader written from the format's description alone. It shares nothing with the writer, not even constants,
 * and checks on the way what fsck would.
 */
export interface ReadNode {
  readonly nid: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly links: number
  readonly mtimeS: number
  readonly mtimeNs: number
  readonly rdev: number
  readonly target: string
  readonly xattrs: Readonly<Record<string, string>>
  /** Where the file's bytes are on device 1. */
  readonly extents: readonly { readonly offset: number; readonly length: number }[]
  readonly children: ReadonlyMap<string, ReadNode>
}

const BLOCK = 512
const PREFIXES: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
}

export function readErofs(image: Buffer): { readonly root: ReadNode; readonly inodes: number; readonly deviceBlocks: number } {
  assert.equal(image.length % BLOCK, 0)
  assert.equal(image.readUInt32LE(1024), 0xe0f5e1e2)
  checkChecksum(image)
  assert.equal(image[1024 + 12], 9)
  assert.equal(image.readUInt32LE(1024 + 36) * BLOCK, image.length)
  assert.equal(image.readUInt32LE(1024 + 80), 0x4 | 0x8)
  assert.equal(image.readUInt16LE(1024 + 86), 1)
  const slot = image.readUInt16LE(1024 + 88) * 128
  const context: Context = {
    image,
    metaStart: image.readUInt32LE(1024 + 40) * BLOCK,
    xattrStart: image.readUInt32LE(1024 + 44) * BLOCK,
    buildS: Number(image.readBigInt64LE(1024 + 24)),
    buildNs: image.readUInt32LE(1024 + 32),
    seen: new Map(),
    used: [],
  }
  const root = readInode(context, image.readUInt16LE(1024 + 14))
  readChildren(context, root, root.nid)
  checkOverlaps(context.used)
  checkLinks(root)
  assert.equal(Number(image.readBigUInt64LE(1024 + 16)), context.seen.size)
  return { root, inodes: context.seen.size, deviceBlocks: image.readUInt32LE(slot + 64) }
}

interface Context {
  readonly image: Buffer
  readonly metaStart: number
  readonly xattrStart: number
  readonly buildS: number
  readonly buildNs: number
  readonly seen: Map<number, MutableNode>
  readonly used: [start: number, end: number][]
}

interface MutableNode extends ReadNode {
  readonly content: Buffer
  readonly children: Map<string, ReadNode>
}

function checkChecksum(image: Buffer): void {
  const table = Array.from({ length: 256 }, (_, index) => {
    let value = index
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    return value >>> 0
  })
  const block = Buffer.from(image.subarray(1024, 1024 + BLOCK))
  const stored = block.readUInt32LE(4)
  block.writeUInt32LE(0, 4)
  const sum = block.reduce((crc, byte) => ((crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0)) >>> 0, 0xffffffff)
  assert.equal(stored, sum >>> 0)
}

function readInode(context: Context, nid: number): MutableNode {
  const known = context.seen.get(nid)
  if (known !== undefined) return known
  const { image } = context
  const at = context.metaStart + nid * 32
  const format = image.readUInt16LE(at)
  const isExtended = (format & 1) === 1
  const layout = (format >> 1) & 7
  assert.equal(format >> 4, 0)
  const headBytes = isExtended ? 64 : 32
  if (!isExtended) assert.equal(image.readUInt32LE(at + 12), 0)
  const icount = image.readUInt16LE(at + 2)
  const xattrBytes = icount === 0 ? 0 : 12 + 4 * (icount - 1)
  const mode = image.readUInt16LE(at + 4)
  const size = isExtended ? Number(image.readBigUInt64LE(at + 8)) : image.readUInt32LE(at + 8)
  const address = image.readUInt32LE(at + 16)
  const dataAt = at + headBytes + xattrBytes
  const kind = mode & 0o170000
  let end = dataAt
  let content: Buffer = Buffer.alloc(0)
  let extents: { offset: number; length: number }[] = []
  if (layout === 4) {
    assert.equal(kind, 0o100000)
    assert.equal(address & 0x20, 0x20)
    const chunkBytes = BLOCK * 2 ** (address & 0x1f)
    const count = Math.ceil(size / chunkBytes)
    const first = Math.ceil(dataAt / 8) * 8
    extents = Array.from({ length: count }, (_, index) => {
      assert.equal(image.readUInt16LE(first + index * 8 + 2), 1)
      return {
        offset: image.readUInt32LE(first + index * 8 + 4) * BLOCK,
        length: Math.min(chunkBytes, size - index * chunkBytes),
      }
    })
    end = first + count * 8
  } else if (kind === 0o040000 || kind === 0o120000) {
    const blocks = Math.ceil(size / BLOCK)
    const own = layout === 2 ? blocks - 1 : blocks
    const tail = layout === 2 ? size - own * BLOCK : 0
    if (layout === 2) {
      assert.ok((at % BLOCK) + headBytes + xattrBytes + tail <= BLOCK, 'inline data crosses a block')
      end = dataAt + tail
    } else assert.equal(layout, 0)
    if (own > 0) context.used.push([address * BLOCK, (address + own) * BLOCK])
    const whole = own > 0 ? image.subarray(address * BLOCK, (address + own) * BLOCK) : Buffer.alloc(0)
    content = Buffer.concat([whole, image.subarray(dataAt, dataAt + tail)]).subarray(0, size)
    assert.equal(content.length, size)
  } else assert.equal(layout, 0)
  context.used.push([at, end])
  const node: MutableNode = {
    nid,
    mode,
    uid: isExtended ? image.readUInt32LE(at + 24) : image.readUInt16LE(at + 24),
    gid: isExtended ? image.readUInt32LE(at + 28) : image.readUInt16LE(at + 26),
    size,
    links: isExtended ? image.readUInt32LE(at + 44) : image.readUInt16LE(at + 6),
    mtimeS: isExtended ? Number(image.readBigInt64LE(at + 32)) : context.buildS,
    mtimeNs: isExtended ? image.readUInt32LE(at + 40) : context.buildNs,
    rdev: kind === 0o020000 || kind === 0o060000 ? address : 0,
    target: kind === 0o120000 ? content.toString('latin1') : '',
    xattrs: readXattrs(context, at + headBytes, xattrBytes),
    extents,
    children: new Map(),
    content,
  }
  context.seen.set(nid, node)
  return node
}

function readXattrs({ image, xattrStart }: Context, at: number, bytes: number): Record<string, string> {
  const xattrs: Record<string, string> = {}
  if (bytes === 0) return xattrs
  assert.ok(bytes > 12)
  const take = (entry: number): number => {
    const nameBytes = image.readUInt8(entry)
    const valueBytes = image.readUInt16LE(entry + 2)
    const name = `${PREFIXES[image.readUInt8(entry + 1)]}${image.toString('latin1', entry + 4, entry + 4 + nameBytes)}`
    assert.equal(xattrs[name], undefined)
    xattrs[name] = image.toString('hex', entry + 4 + nameBytes, entry + 4 + nameBytes + valueBytes)
    return Math.ceil((4 + nameBytes + valueBytes) / 4) * 4
  }
  const shared = image.readUInt8(at + 4)
  for (let index = 0; index < shared; index += 1) take(xattrStart + 4 * image.readUInt32LE(at + 12 + 4 * index))
  for (let entry = at + 12 + 4 * shared; entry < at + bytes;) entry += take(entry)
  return xattrs
}

const TYPES: Readonly<Record<number, number>> = { 1: 0o100000, 2: 0o040000, 3: 0o020000, 4: 0o060000, 5: 0o010000, 7: 0o120000 }

function readChildren(context: Context, directory: MutableNode, parentNid: number): void {
  let previous: string | undefined
  for (let block = 0; block < directory.content.length; block += BLOCK) {
    const bytes = directory.content.subarray(block, block + BLOCK)
    const count = bytes.readUInt16LE(8) / 12
    for (let index = 0; index < count; index += 1) {
      const start = bytes.readUInt16LE(index * 12 + 8)
      const limit = index + 1 < count ? bytes.readUInt16LE(index * 12 + 20) : bytes.length
      const name = bytes.toString('latin1', start, limit).split('\0')[0] ?? ''
      assert.ok(previous === undefined || previous < name, `${previous} sorts before ${name}`)
      previous = name
      const nid = Number(bytes.readBigUInt64LE(index * 12))
      if (name === '.') assert.equal(nid, directory.nid)
      else if (name === '..') assert.equal(nid, parentNid)
      else {
        const isNew = !context.seen.has(nid)
        const child = readInode(context, nid)
        assert.equal(TYPES[bytes.readUInt8(index * 12 + 10)], child.mode & 0o170000)
        directory.children.set(name, child)
        const isDirectory = (child.mode & 0o170000) === 0o040000
        assert.ok(isNew || !isDirectory, 'a directory has one name')
        if (isDirectory) readChildren(context, child, directory.nid)
      }
    }
  }
}

function checkOverlaps(used: [number, number][]): void {
  const sorted = used.toSorted(([a], [b]) => a - b)
  for (const [index, [start]] of sorted.entries()) {
    const before = sorted[index - 1]
    assert.ok(before === undefined || before[1] <= start, `bytes at ${start} are used twice`)
  }
}

function checkLinks(root: ReadNode): void {
  const names = new Map<ReadNode, number>([[root, 2]])
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop())
    for (const child of node.children.values()) {
      const isDirectory = (child.mode & 0o170000) === 0o040000
      if (isDirectory) {
        names.set(node, (names.get(node) ?? 0) + 1)
        names.set(child, 2)
        open.push(child)
      } else names.set(child, (names.get(child) ?? 0) + 1)
    }
  for (const [node, count] of names) assert.equal(node.links, count)
}
