import assert from 'node:assert/strict'

import { erofsIndex, isDirectory, layerMerge, type LayerNode, type LayerTree } from '#oci/erofs'
import { scanTar, tarPushScanner, type TarEntry } from '#oci/tar'

import { readErofs, type ReadNode } from '../../src/oci/erofs/reader-fixture.ts'
import { base256, directory, file, hardlink, longName, pax, raw, symlink, tar } from '../kernel/hostile-tar.ts'
import type { FuzzTarget } from './fuzz.ts'
import type { Dice } from './mutate.ts'

const BLOCK = 512

const SEEDS: readonly Buffer[] = [
  tar(directory('d'), file('d/f', 'body'), symlink('d/l', '../d/f'), hardlink('h', 'd/f')),
  tar(
    pax([
      ['path', 'a/long/name'],
      ['mtime', '1700000000.5'],
      ['uid', '70000'],
      ['SCHILY.xattr.user.k', 'v'],
    ]),
    file('x', 'y'.repeat(700)),
  ),
  tar(longName('n'.repeat(120)), file('x'), raw({ name: 'c', type: '3', device: [1, 3] }), raw({ name: 'p', type: '6' })),
  tar(file('d/.wh.gone'), file('d/.wh..wh..opq'), raw({ name: 'big', sizeField: base256(3n), body: 'abc' })),
  tar(symlink('a', 'b'), symlink('b', '/d'), directory('d'), file('a/through', '1')),
  tar(pax([['comment', 'g']], 'g'), pax([['linkpath', 't/'.repeat(60)]]), symlink('s', 'x')),
]
const WORDS = [
  '../',
  '/',
  './',
  '.wh.',
  '.wh..wh..opq',
  'ustar\x0000',
  'ustar  \0',
  '././@LongLink',
  '30 mtime=1.5\n',
  '13 path=a/b\n',
  '12 size=512\n',
  'GNU.sparse.major=1',
  'SCHILY.xattr.',
  'LIBARCHIVE.xattr.',
  'trusted.overlay.opaque=y',
  '\0'.repeat(512),
]

/** Gives blocks that look like headers their checksum back, and now and then another type. */
function mend(input: Buffer, roll: Dice): Buffer {
  const copy = Buffer.from(input.subarray(0, input.length - (roll.below(8) === 0 ? 0 : input.length % BLOCK)))
  for (let at = 0; at + BLOCK <= copy.length; at += BLOCK) {
    const header = copy.subarray(at, at + BLOCK)
    if (header.toString('latin1', 257, 262) !== 'ustar') continue
    if (roll.below(20) === 0)
      header.write(roll.pick(['0', '1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', 'K', 'S', 'M', '\0']), 156)
    header.write('        ', 148)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  }
  return copy
}

function scanned(input: Buffer): readonly TarEntry[] {
  return [...scanTar((buffer, position) => input.copy(buffer, 0, position), input.length)]
}

function pushed(input: Buffer, roll: Dice): readonly TarEntry[] {
  const entries: TarEntry[] = []
  const scanner = tarPushScanner((entry) => entries.push(entry))
  for (let at = 0; at < input.length;) {
    const bytes = 1 + roll.below(1500)
    scanner.push(input.subarray(at, at + bytes))
    at += bytes
  }
  scanner.end()
  return entries
}

const code = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

const scanner: FuzzTarget = {
  name: 'tar, by position and in chunks',
  seeds: SEEDS,
  words: WORDS,
  mend,
  codes: ['tar.'],
  run: (input, roll) => {
    // Both ways of reading must come to the same, refusals included.
    assert.deepEqual(
      code(() => pushed(input, roll)),
      code(() => scanned(input)),
    )
    for (const { path, dataOffset, size } of scanned(input)) {
      assert.ok(dataOffset + size <= input.length && dataOffset % BLOCK === 0)
      assert.ok(path.split('/').every((part) => part !== '..' && part !== '.') && !path.includes('\0') && !path.startsWith('/'))
    }
  },
}

function treeOf(input: Buffer): LayerTree {
  const merge = layerMerge()
  for (const entry of scanned(input)) merge.add(entry)
  return merge.finish()
}

const TYPES: Readonly<Record<string, number>> = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  char: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
}

/** The names, kinds, sizes and places of bytes that a reader of its own finds are those of the tree. */
function expectSame(read: ReadNode, node: LayerNode, path: string): void {
  assert.equal(read.mode, (TYPES[node.type] ?? 0) | node.mode, path)
  assert.deepEqual([read.uid, read.gid], [node.uid, node.gid], path)
  if (node.type === 'file') {
    assert.equal(read.size, node.size, path)
    assert.equal(
      read.extents.reduce((sum, { length }) => sum + length, 0),
      node.size,
      path,
    )
    if (node.size > 0) assert.equal(read.extents[0]?.offset, node.dataOffset, path)
  }
  if (!isDirectory(node)) return
  assert.deepEqual([...read.children.keys()].toSorted(), [...node.children.keys()].toSorted(), path)
  for (const [name, child] of node.children) expectSame(read.children.get(name) as ReadNode, child, `${path}/${name}`)
}

const layer: FuzzTarget = {
  name: 'layer, to an EROFS index and back',
  seeds: SEEDS,
  words: WORDS,
  mend,
  codes: ['tar.', 'layer.'],
  run: (input) => {
    const tree = treeOf(input)
    const contentBytes = Math.ceil(input.length / BLOCK) * BLOCK
    const index = Buffer.concat([...erofsIndex(tree, { contentBytes, identity: '0'.repeat(64) })])
    expectSame(readErofs(index).root, tree.root, '')
  },
}

export const TAR_TARGETS: readonly FuzzTarget[] = [scanner, layer]
