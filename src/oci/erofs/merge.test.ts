import assert from 'node:assert/strict'
import { test } from 'node:test'

import { bytesOfText, type TarEntry } from '#oci/tar'

import { layerMerge } from './merge.ts'
import { isWhiteout, OPAQUE_XATTR, walkTree, type LayerTree } from './tree.ts'

type Short = Partial<Omit<TarEntry, 'path' | 'linkname'>> & { readonly path: string; readonly linkname?: string }

function merged(...entries: readonly Short[]): LayerTree {
  const merge = layerMerge()
  for (const { path, linkname = '', ...rest } of entries)
    merge.add({
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: 0,
      mtimeS: 1,
      mtimeNs: 0,
      devMajor: 0,
      devMinor: 0,
      xattrs: [],
      dataOffset: 0,
      headerOffset: 0,
      ...rest,
      path: bytesOfText(path),
      linkname: bytesOfText(linkname),
    })
  return merge.finish()
}

/** `path:type`, with `!` for whiteouts and `*` for opaque directories. */
function shape(tree: LayerTree): string[] {
  return [...walkTree(tree.root)].slice(1).map(({ path, node }) => {
    const isOpaque = node.xattrs.some(({ name }) => name === OPAQUE_XATTR)
    return `${path}:${isWhiteout(node) ? '!' : node.type}${isOpaque ? '*' : ''}`
  })
}

const dir = (path: string, more: Partial<Short> = {}): Short => ({ path, type: 'directory', mode: 0o700, ...more })
const symlink = (path: string, linkname: string): Short => ({ path, type: 'symlink', linkname })
const hardlink = (path: string, linkname: string): Short => ({ path, type: 'hardlink', linkname })

test('missing parents are made as 0755 of root, and an entry that comes later describes them', () => {
  const tree = merged({ path: 'a/b/c' }, dir('a/b', { uid: 7 }))
  const [, a, b] = [...walkTree(tree.root)]
  assert.deepEqual([a?.node.mode, a?.node.uid, b?.node.mode, b?.node.uid], [0o755, 0, 0o700, 7])
  assert.deepEqual(shape(tree), ['a:directory', 'a/b:directory', 'a/b/c:file'])
  assert.equal(tree.isRootExplicit, false)
  assert.equal(merged(dir('')).isRootExplicit, true)
})

test('the later entry of a name stands', () => {
  assert.deepEqual(shape(merged({ path: 'x' }, dir('x'), { path: 'x/y' })), ['x:directory', 'x/y:file'])
  assert.deepEqual(shape(merged(dir('x'), { path: 'x/y' }, { path: 'x' })), ['x:file'])
  assert.deepEqual(shape(merged(dir('x'), { path: 'x/y' }, symlink('x', 'z'))), ['x:symlink'])
  assert.deepEqual(shape(merged(symlink('x', 'z'), dir('x'), { path: 'x/y' })), ['x:directory', 'x/y:file'])
  const [, only] = [...walkTree(merged({ path: 'x', size: 1 }, { path: 'x', size: 2 }).root)]
  assert.equal(only?.node.size, 2)
})

test('a name below a file is refused', () => {
  assert.throws(() => merged({ path: 'x' }, { path: 'x/y' }), {
    code: 'layer.parent_not_directory',
    message: /"x\/y".*"x".*file/,
  })
})

test('links on the way to a name are followed inside the layer only', () => {
  assert.deepEqual(shape(merged(symlink('a', '/'), { path: 'a/etc/x' })), ['a:symlink', 'etc:directory', 'etc/x:file'])
  assert.deepEqual(shape(merged(dir('d'), symlink('d/up', '../../..'), { path: 'd/up/x' })), [
    'd:directory',
    'd/up:symlink',
    'x:file',
  ])
  assert.deepEqual(shape(merged(symlink('l', 'victim'), { path: 'l/.wh.f' })), ['l:symlink', 'victim:directory', 'victim/f:!'])
  assert.throws(() => merged(symlink('a', 'b'), symlink('b', 'a'), { path: 'a/x' }), { code: 'layer.symlink_loop' })
})

test('a resolved parent is looked up again once a link or directory on the way was replaced', () => {
  const tree = merged(dir('one'), symlink('way', 'one'), { path: 'way/a' }, dir('two'), symlink('way', 'two'), { path: 'way/b' })
  assert.deepEqual(shape(tree), ['one:directory', 'one/a:file', 'two:directory', 'two/b:file', 'way:symlink'])
})

test('hard links share their node, need it to be there, and never lead to directories', () => {
  const tree = merged({ path: 'a', size: 5 }, hardlink('b', 'a'), dir('d'), hardlink('d/c', 'b'))
  assert.equal(tree.root.children.get(bytesOfText('a')), tree.root.children.get(bytesOfText('b')))
  assert.equal(tree.fileBytes, 5)
  assert.throws(() => merged(hardlink('b', 'a'), { path: 'a' }), { code: 'layer.link_target_missing' })
  assert.throws(() => merged({ path: '.wh.a' }, hardlink('b', 'a')), { code: 'layer.link_target_missing' })
  assert.throws(() => merged(dir('d'), hardlink('b', 'd')), { code: 'layer.link_target_missing' })
  assert.throws(() => merged({ path: 'a' }, hardlink('a', 'a')), { code: 'layer.link_target_missing' })
  assert.throws(() => merged(dir('d'), symlink('d/up', '../..'), hardlink('x', 'd/up/etc/passwd')), {
    code: 'layer.link_target_missing',
  })
  assert.equal(merged(symlink('s', 'nowhere'), hardlink('t', 's')).root.children.get(bytesOfText('t'))?.type, 'symlink')
})

test('a whiteout hides the layers below and nothing of its own layer, wherever it stands', () => {
  assert.deepEqual(shape(merged({ path: 'd/.wh.x' })), ['d:directory', 'd/x:!'])
  assert.deepEqual(shape(merged({ path: '.wh.x' }, { path: 'x' })), ['x:file'])
  assert.deepEqual(shape(merged({ path: 'x' }, { path: '.wh.x' })), ['x:file'])
  assert.deepEqual(shape(merged({ path: 'x/y' }, { path: '.wh.x' })), ['x:directory*', 'x/y:file'])
  assert.deepEqual(shape(merged({ path: 'd/a' }, { path: 'd/.wh..wh..opq' }, { path: 'd/b' })), [
    'd:directory*',
    'd/a:file',
    'd/b:file',
  ])
  assert.equal(merged({ path: '.wh..wh..opq' }).isRootOpaque, true)
})

test('whiteout names that say nothing are refused', () => {
  for (const path of ['.wh.', '.wh..', '.wh...', 'd/.wh.', '.wh.a/b', '.wh..wh..opq/x', '.wh..wh.plnk', '.wh..wh.aufs/x'])
    assert.throws(() => merged({ path }), { code: 'layer.whiteout_invalid' }, path)
  assert.throws(() => merged(dir('.wh.x')), { code: 'layer.whiteout_invalid' })
})

test("overlayfs's own marks do not pass", () => {
  const xattr = (name: string) => ({ name: bytesOfText(name), value: Buffer.from('y') })
  const tree = merged(
    { path: 'fake', type: 'char' },
    { path: 'kept', type: 'char', devMajor: 1, devMinor: 3 },
    dir('d', { xattrs: [xattr('trusted.overlay.opaque'), xattr('trusted.overlay.redirect'), xattr('user.keep')] }),
    { path: 'f', xattrs: [xattr('trusted.overlay.metacopy'), xattr('security.capability'), xattr('com.apple.odd')] },
    { ...symlink('s', 't'), xattrs: [xattr('user.not-on-links'), xattr('trusted.fine')] },
  )
  assert.deepEqual(shape(tree), ['d:directory', 'f:file', 'kept:char', 's:symlink'])
  const names = [...walkTree(tree.root)].flatMap(({ node }) => node.xattrs.map(({ name }) => name))
  assert.deepEqual(names, ['user.keep', 'security.capability', 'trusted.fine'])
})

test('depth and device numbers have bounds', () => {
  const deep = `${'d/'.repeat(1000)}l`
  assert.throws(() => merged(symlink(deep, `${'e/'.repeat(900)}x`), { path: `${deep}/y` }), { code: 'layer.limit' })
  assert.throws(() => merged({ path: 'x', type: 'block', devMajor: 0x1000 }), { code: 'layer.limit' })
})
