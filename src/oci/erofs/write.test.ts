import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { EMPTY_BYTES, bytesOfText, type ByteString, type TarEntry } from '#oci/tar'
import { anyEntry } from '../tar/tar-fixture.ts'

import { layerMerge } from './merge.ts'
import { readErofs, type ReadNode } from './reader-fixture.ts'
import { isDirectory, type LayerNode, type LayerTree } from './tree.ts'
import { erofsIndex } from './write.ts'

const IDENTITY = '0123456789abcdef'.repeat(4)
const MODES = { fifo: 0o010000, char: 0o020000, directory: 0o040000, block: 0o060000, file: 0o100000, symlink: 0o120000 }

function imageOf(tree: LayerTree, contentBytes = 512): Buffer {
  return Buffer.concat([...erofsIndex(tree, { contentBytes, identity: IDENTITY })])
}

function entry(path: string, more: Partial<Omit<TarEntry, 'path'>> = {}): TarEntry {
  return {
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeS: 0,
    mtimeNs: 0,
    linkname: EMPTY_BYTES,
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
    dataOffset: 0,
    headerOffset: 0,
    ...more,
    path: path as ByteString,
  }
}

function treeOf(entries: readonly TarEntry[]): LayerTree {
  const merge = layerMerge()
  for (const each of entries) merge.add(each)
  return merge.finish()
}

/** Everything that a reader should find, for comparison. */
function expectSame(read: ReadNode, node: LayerNode, seen: Map<number, LayerNode>): void {
  assert.equal(seen.get(read.nid) ?? node, node)
  seen.set(read.nid, node)
  assert.equal(read.mode, MODES[node.type] | node.mode)
  assert.deepEqual([read.uid, read.gid, read.mtimeS, read.mtimeNs], [node.uid, node.gid, node.mtimeS, node.mtimeNs])
  assert.equal(read.target, node.target === EMPTY_BYTES || node.type !== 'symlink' ? '' : node.target)
  assert.deepEqual(read.xattrs, Object.fromEntries(node.xattrs.map(({ name, value }) => [name, value.toString('hex')])))
  if (node.type === 'file') {
    assert.equal(read.size, node.size)
    let offset = node.dataOffset
    for (const extent of read.extents) {
      assert.equal(extent.offset, offset)
      offset += extent.length
    }
    assert.equal(offset, node.dataOffset + node.size)
  }
  if (node.type === 'char' || node.type === 'block') {
    const major = (read.rdev >>> 8) & 0xfff
    const minor = (read.rdev & 0xff) | ((read.rdev >>> 12) & 0xfff00)
    assert.deepEqual([major, minor], [node.devMajor, node.devMinor])
  }
  if (!isDirectory(node)) return
  assert.deepEqual([...read.children.keys()].sort(), [...node.children.keys()].sort())
  for (const [name, child] of node.children) expectSame(read.children.get(name) as ReadNode, child, seen)
}

test('an index read back by a reader that shares nothing with the writer is the tree that was written', () => {
  fc.assert(
    fc.property(
      fc.array(anyEntry, { maxLength: 40 }),
      fc.array(fc.constantFrom('.wh.x', 'a/.wh..wh..opq', 'a/b/.wh.c')),
      (inits, marks) => {
        const merge = layerMerge()
        let dataOffset = 512
        for (const init of [...inits, ...marks.map((path) => ({ path: bytesOfText(path), type: 'file' as const, size: 0 }))]) {
          try {
            merge.add({ ...entry(''), ...init, dataOffset })
          } catch {
            // Links to what is not there, names below files: covered by the merge's own tests.
          }
          dataOffset += 512 + Math.ceil((init.size ?? 0) / 512) * 512
        }
        const tree = merge.finish()
        const image = imageOf(tree, dataOffset)
        const { root, deviceBlocks } = readErofs(image)
        expectSame(root, tree.root, new Map())
        assert.equal(deviceBlocks, dataOffset / 512)
        assert.ok(image.equals(imageOf(tree, dataOffset)), 'the same tree gives the same bytes')
      },
    ),
    { numRuns: 200 },
  )
})

test('directories with thousands of names, long names and long links are laid out right', () => {
  const names = Array.from({ length: 5000 }, (_, index) => `${index % 3 === 0 ? 'n'.repeat(250) : 'f'}${index}`)
  const tree = treeOf([
    ...names.map((name) => entry(`big/${name}`)),
    entry('long/' + 'x'.repeat(255)),
    entry('long/' + 'y'.repeat(255)),
    ...[1, 447, 448, 449, 511, 512, 513, 4095].map((length) =>
      entry(`links/${length}`, { type: 'symlink', linkname: 'l'.repeat(length) as ByteString }),
    ),
    entry('bytes/\xff\x80\n', { mtimeS: -1, mtimeNs: 999_999_999 }),
  ])
  expectSame(readErofs(imageOf(tree)).root, tree.root, new Map())
})

test('attributes of many sizes are kept, and those that several files have are stored once', () => {
  const value = Buffer.alloc(2000, 7)
  const shared = [{ name: bytesOfText('security.label'), value }]
  const tree = treeOf([
    ...Array.from({ length: 500 }, (_, index) => entry(`f${index}`, { xattrs: shared })),
    entry('own', { xattrs: [{ name: bytesOfText('user.big'), value: Buffer.alloc(65_535, 1) }, ...shared] }),
    entry('link', {
      type: 'symlink',
      linkname: bytesOfText('t'),
      xattrs: [{ name: bytesOfText('trusted.x'), value: Buffer.alloc(600) }],
    }),
  ])
  const image = imageOf(tree)
  expectSame(readErofs(image).root, tree.root, new Map())
  assert.ok(image.length < 200_000, `${image.length} bytes`)
})

test('offsets and sizes past 4 GiB and past a chunk keep all their bits', () => {
  const tree = treeOf([
    entry('far', { size: 513, dataOffset: 700 * 2 ** 30 }),
    entry('huge', { size: 2 ** 40 + 1, dataOffset: 5 * 2 ** 30 }),
    entry('four', { size: 4 * 2 ** 30, dataOffset: 512 }),
  ])
  const { root } = readErofs(imageOf(tree, 2 ** 40))
  expectSame(root, tree.root, new Map())
  assert.equal(root.children.get('huge')?.extents.length, 2)
  const beyond = treeOf([entry('beyond', { size: 1, dataOffset: 2 ** 41 })])
  assert.throws(() => imageOf(beyond), { code: 'layer.limit' })
})

test('an empty layer is a file system with an empty root', () => {
  const { root, inodes } = readErofs(imageOf(treeOf([])))
  assert.equal(inodes, 1)
  assert.equal(root.mode, 0o040755)
})

test('files that share the commonest time and small owners take half an inode', () => {
  const files = (mtimeS: (index: number) => number) =>
    Array.from({ length: 1000 }, (_, index) => entry(`f${index}`, { mtimeS: mtimeS(index) }))
  const same = imageOf(treeOf(files(() => 99))).length
  const different = imageOf(treeOf(files((index) => index))).length
  assert.ok(different - same > 25_000, `${different} against ${same}`)
})
