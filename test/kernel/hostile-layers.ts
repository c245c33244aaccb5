import { gzipSync } from 'node:zlib'

import { base256, directory, file, hardlink, longName, padded, pax, raw, symlink, tar } from './hostile-tar.ts'

/** A hostile image and what must become of it: an error code, or the names that its root shows, `NAME=CONTENT` for files. */
export interface HostileImage {
  /** In the list of docs/hostile-input.md. */
  readonly item: number
  readonly title: string
  /** Lowest first. `canary` is an absolute path of the host that must not change. */
  readonly layers: (canary: string) => readonly Buffer[]
  readonly expected: { readonly code: string } | { readonly shows: (canary: string) => readonly string[] }
}

const refused = (code: string) => ({ code })
const shows = (...names: readonly string[]) => ({ shows: () => names })
/** `/tmp/x` as the names of its parts below a root, and what is in the last of them. */
const below = (canary: string, ...names: readonly string[]): readonly string[] => {
  const parts = canary.slice(1).split('/')
  return [...parts.map((_, at) => parts.slice(0, at + 1).join('/')), ...names.map((name) => `${parts.join('/')}/${name}`)]
}
const one = (...members: readonly Buffer[]) => [tar(...members)]

const names: readonly HostileImage[] = [
  { item: 1, title: 'a name that climbs', layers: () => one(file('../../x', 'out')), expected: refused('tar.malformed') },
  {
    item: 1,
    title: 'a name that climbs from inside',
    layers: () => one(file('a/b/../../../x', 'out')),
    expected: refused('tar.malformed'),
  },
  {
    item: 1,
    title: 'an absolute name',
    layers: (canary) => one(file(`${canary}/planted`, 'in')),
    expected: { shows: (canary) => below(canary, 'planted=in') },
  },
  {
    item: 1,
    title: 'a climbing pax path',
    layers: () => one(pax([['path', '../../x']]), file('harmless')),
    expected: refused('tar.malformed'),
  },
  {
    item: 1,
    title: 'a climbing long name',
    layers: () => one(longName('../../x'), file('harmless')),
    expected: refused('tar.malformed'),
  },
  {
    item: 2,
    title: 'a link to the root and a file through it',
    layers: (canary) => one(symlink('a', '/'), file(`a${canary}/f`, 'in')),
    expected: { shows: (canary) => ['a -> /', ...below(canary, 'f=in')] },
  },
  {
    item: 2,
    title: 'a link to the host and a file through it',
    layers: (canary) => one(symlink('a', canary), file('a/f', 'in')),
    expected: { shows: (canary) => [`a -> ${canary}`, ...below(canary, 'f=in')] },
  },
  {
    item: 2,
    title: 'a climbing link and a file through it',
    layers: (canary) => one(symlink('a', '../../../../../../../../..'), file(`a${canary}/f`, 'in')),
    expected: { shows: (canary) => ['a -> ../../../../../../../../..', ...below(canary, 'f=in')] },
  },
  {
    item: 3,
    title: 'a link in one layer and a file through it in the next',
    layers: (canary) => [tar(symlink('a', canary)), tar(file('a/f', 'in'))],
    // Each layer is a tree of its own: the directory of the upper one hides the link.
    expected: shows('a', 'a/f=in'),
  },
  {
    item: 3,
    title: 'a directory in one layer, a link in its place in the next, a file through it in the third',
    layers: (canary) => [tar(directory('a'), file('a/old', 'old')), tar(symlink('a', canary)), tar(file('a/f', 'in'))],
    expected: shows('a', 'a/f=in'),
  },
  {
    item: 4,
    title: 'a hard link to the host',
    layers: (canary) => one(hardlink('h', `${canary}/f`)),
    expected: refused('layer.link_target_missing'),
  },
  {
    item: 4,
    title: 'a hard link that climbs',
    layers: () => one(hardlink('h', '../../../etc/passwd')),
    expected: refused('tar.malformed'),
  },
  {
    item: 4,
    title: 'a hard link through a chain of links',
    layers: (canary) => one(directory('a'), directory('a/b'), symlink('a/b/up', '../..'), hardlink('h', `a/b/up${canary}/f`)),
    expected: refused('layer.link_target_missing'),
  },
  {
    item: 5,
    title: 'a whiteout through a link to the host',
    layers: (canary) => one(symlink('l', canary), file('l/.wh.f')),
    expected: { shows: (canary) => [`l -> ${canary}`, ...below(canary, 'f deleted')] },
  },
  { item: 6, title: 'a whiteout of "."', layers: () => one(file('.wh..')), expected: refused('layer.whiteout_invalid') },
  { item: 6, title: 'a whiteout of ".."', layers: () => one(file('d/.wh...')), expected: refused('layer.whiteout_invalid') },
  { item: 6, title: 'a whiteout of nothing', layers: () => one(file('.wh.')), expected: refused('layer.whiteout_invalid') },
  {
    item: 6,
    title: 'a directory named like a whiteout, with a file in it',
    layers: () => one(file('.wh.a/b')),
    expected: refused('layer.whiteout_invalid'),
  },
  { item: 6, title: 'a reserved whiteout', layers: () => one(file('.wh..wh.plnk')), expected: refused('layer.whiteout_invalid') },
  {
    item: 7,
    title: 'a whiteout of a file that the same layer has, before it and behind it',
    layers: () => [
      tar(file('a', 'low'), file('b', 'low')),
      tar(file('.wh.a'), file('a', 'high'), file('b', 'high'), file('.wh.b')),
    ],
    expected: shows('a=high', 'b=high'),
  },
  {
    item: 7,
    title: 'an opaque mark in the middle of its directory',
    layers: () => [tar(file('d/low', 'low')), tar(file('d/one', '1'), file('d/.wh..wh..opq'), file('d/two', '2'))],
    expected: shows('d', 'd/one=1', 'd/two=2'),
  },
]

const nodes: readonly HostileImage[] = [
  {
    item: 8,
    title: "overlayfs's own deletion mark",
    layers: () => [tar(file('f', 'low')), tar(raw({ name: 'f', type: '3' }))],
    expected: shows('f=low'),
  },
  {
    item: 8,
    title: "overlayfs's own attributes",
    layers: () => [
      tar(file('secret/f', 'low'), file('d/f', 'low')),
      tar(
        pax([
          ['SCHILY.xattr.trusted.overlay.opaque', 'y'],
          ['SCHILY.xattr.trusted.overlay.redirect', '/secret'],
        ]),
        directory('d'),
        pax([['SCHILY.xattr.trusted.overlay.metacopy', '']]),
        file('d/g', ''),
      ),
    ],
    expected: shows('d', 'd/f=low', 'd/g=', 'secret', 'secret/f=low'),
  },
  {
    item: 9,
    title: 'a disk and a program of another user',
    layers: () =>
      one(raw({ name: 'disk', type: '4', device: [8, 0], mode: 0o666 }), raw({ name: 'su', body: 'x', mode: 0o4755 })),
    expected: shows('disk block 8:0', 'su=x setuid'),
  },
  {
    item: 9,
    title: 'a device that Linux does not have',
    layers: () => one(raw({ name: 'odd', type: '3', device: [0o77777, 1] })),
    expected: refused('layer.limit'),
  },
]

const GIGABYTES = '77777777777\0'
const sizes: readonly HostileImage[] = [
  {
    item: 10,
    title: 'a size in pax that is not that of the header, with a header in the body',
    layers: () => one(pax([['size', '512']]), raw({ name: 'outer', sizeField: '00000000000\0' }), file('inner', '')),
    expected: refused('tar.ambiguous'),
  },
  {
    item: 10,
    title: 'a sparse file of GNU tar',
    layers: () => one(raw({ name: 's', type: 'S' })),
    expected: refused('tar.unsupported'),
  },
  {
    item: 10,
    title: 'a sparse file by pax',
    layers: () =>
      one(
        pax([
          ['GNU.sparse.major', '1'],
          ['GNU.sparse.minor', '0'],
          ['GNU.sparse.name', 'x'],
        ]),
        file('s'),
      ),
    expected: refused('tar.unsupported'),
  },
  {
    item: 10,
    title: 'a negative size',
    layers: () => one(raw({ name: 'n', sizeField: base256(-512n) })),
    expected: refused('tar.malformed'),
  },
  {
    item: 10,
    title: 'a size past what can be counted',
    layers: () => one(raw({ name: 'n', sizeField: base256(1n << 70n) })),
    expected: refused('tar.malformed'),
  },
  {
    item: 10,
    title: 'a size in letters',
    layers: () => one(raw({ name: 'n', sizeField: 'zzzzzzzzzzz\0' })),
    expected: refused('tar.malformed'),
  },
  {
    item: 10,
    title: 'a pax key twice',
    layers: () =>
      one(
        pax([
          ['path', 'one'],
          ['path', 'two'],
        ]),
        file('x'),
      ),
    expected: refused('tar.ambiguous'),
  },
  {
    item: 10,
    title: 'two pax headers for one entry',
    layers: () => one(pax([['path', 'one']]), pax([['path', 'two']]), file('x')),
    expected: refused('tar.ambiguous'),
  },
  {
    item: 10,
    title: 'a pax size with a sign',
    layers: () => one(pax([['size', '-1']]), file('x')),
    expected: refused('tar.malformed'),
  },
  {
    item: 11,
    title: 'a pax header of gigabytes',
    layers: () => [raw({ name: 'pax', type: 'x', sizeField: GIGABYTES })],
    expected: refused('tar.limit'),
  },
  {
    item: 11,
    title: 'a long name of gigabytes',
    layers: () => [raw({ name: 'L', type: 'L', sizeField: GIGABYTES })],
    expected: refused('tar.limit'),
  },
  {
    item: 11,
    title: 'a file of gigabytes that is not there',
    layers: () => [raw({ name: 'f', sizeField: GIGABYTES })],
    expected: refused('tar.truncated'),
  },
  {
    item: 11,
    title: 'a name of a million directories',
    layers: () => one(pax([['path', `${'d/'.repeat(500_000)}f`]]), file('x')),
    expected: refused('tar.malformed'),
  },
  {
    item: 11,
    title: 'a name of 256 bytes',
    layers: () => one(longName('n'.repeat(256)), file('x')),
    expected: refused('tar.malformed'),
  },
  {
    item: 11,
    title: 'a path of 2,000 directories',
    layers: () => one(longName(`${'d/'.repeat(2000)}f`), file('x')),
    expected: refused('tar.malformed'),
  },
]

const kinds: readonly HostileImage[] = [
  {
    item: 12,
    title: 'junk behind a gzip layer',
    layers: () => [Buffer.concat([gzipSync(tar(file('f'))), Buffer.from('junk')])],
    expected: refused('content.compression_invalid'),
  },
  {
    item: 12,
    title: 'data behind the end of the archive',
    layers: () => [Buffer.concat([tar(file('f')), padded(Buffer.from('more'))])],
    expected: refused('tar.ambiguous'),
  },
  {
    item: 12,
    title: 'an archive without its end',
    layers: () => [file('f', 'x'.repeat(600)).subarray(0, 700)],
    expected: refused('tar.truncated'),
  },
  {
    item: 12,
    title: 'many gzip members',
    layers: () => {
      const bytes = tar(file('f', 'x'))
      return [
        Buffer.concat(Array.from({ length: bytes.length / 64 }, (_, at) => gzipSync(bytes.subarray(at * 64, at * 64 + 64)))),
      ]
    },
    expected: shows('f=x'),
  },
  {
    item: 13,
    title: 'a file and then a directory of its name',
    layers: () => one(file('a', 'x'), directory('a'), file('a/f', 'y')),
    expected: shows('a', 'a/f=y'),
  },
  {
    item: 13,
    title: 'a file and a name below it',
    layers: () => one(file('a', 'x'), file('a/f', 'y')),
    expected: refused('layer.parent_not_directory'),
  },
  {
    item: 13,
    title: 'a directory that a link to the host replaces',
    layers: (canary) => one(directory('a'), file('a/f', 'x'), symlink('a', canary), file('a/f', 'y')),
    expected: { shows: (canary) => [`a -> ${canary}`, ...below(canary, 'f=y')] },
  },
  { item: 13, title: 'a name of dots alone', layers: () => one(file('..')), expected: refused('tar.malformed') },
  { item: 13, title: 'an empty name', layers: () => one(file('')), expected: refused('tar.malformed') },
  {
    item: 13,
    title: 'a NUL in a pax name',
    layers: () => one(pax([['path', 'a\0b']]), file('x')),
    expected: refused('tar.malformed'),
  },
  {
    item: 13,
    title: 'a name that is not UTF-8',
    layers: () => one(file(Buffer.from([0x66, 0xff, 0xfe]), 'x')),
    expected: shows('f\xff\xfe=x'),
  },
  { item: 13, title: 'the root as a file', layers: () => one(file('./', 'x')), expected: refused('tar.ambiguous') },
  {
    item: 14,
    title: 'a hard link to what comes later',
    layers: () => one(hardlink('h', 'f'), file('f', 'x')),
    expected: refused('layer.link_target_missing'),
  },
  {
    item: 14,
    title: 'a hard link to what only the layer below has',
    layers: () => [tar(file('f', 'x')), tar(hardlink('h', 'f'))],
    expected: refused('layer.link_target_missing'),
  },
  {
    item: 14,
    title: 'links in a loop with a name through them',
    layers: () => one(symlink('a', 'b'), symlink('b', 'a'), file('a/f', 'x')),
    expected: refused('layer.symlink_loop'),
  },
  {
    item: 14,
    title: 'a hard link to itself',
    layers: () => one(hardlink('h', 'h')),
    expected: refused('layer.link_target_missing'),
  },
  {
    item: 14,
    title: 'a hard link to a directory',
    layers: () => one(directory('d'), hardlink('h', 'd')),
    expected: refused('layer.link_target_missing'),
  },
  {
    item: 16,
    title: 'programs that unpack, in the image',
    layers: (canary) =>
      one(
        ...['xz', 'unpigz', 'gzip', 'tar', 'zstd'].map((name) =>
          raw({ name: `bin/${name}`, mode: 0o755, body: `#!/bin/sh\ntouch ${canary}/run` }),
        ),
      ),
    expected: {
      shows: (canary) => [
        'bin',
        ...['gzip', 'tar', 'unpigz', 'xz', 'zstd'].map((name) => `bin/${name}=#!/bin/sh\ntouch ${canary}/run`),
      ],
    },
  },
]

export const HOSTILE_IMAGES: readonly HostileImage[] = [...names, ...nodes, ...sizes, ...kinds]
