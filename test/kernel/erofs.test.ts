import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { erofsIndex, readLayer } from '#oci/erofs'
import { bytesOfText, scanTar, tarHeader, TAR_END } from '#oci/tar'

import { hostFixture } from './host-fixture.ts'
import { describeTree, tarOf, type Entry } from './snapshots-fixture.ts'

const { host, root } = hostFixture()
let places = 0

function place(): { readonly tar: string; readonly index: string; readonly mounted: string; readonly unpacked: string } {
  places += 1
  const base = join(root, String(places))
  const paths = {
    tar: join(base, 'layer.tar'),
    index: join(base, 'index'),
    mounted: join(base, 'mounted'),
    unpacked: join(base, 'unpacked'),
  }
  for (const path of [paths.mounted, paths.unpacked]) mkdirSync(path, { recursive: true })
  return paths
}

function mountLayer({ tar, index, mounted }: ReturnType<typeof place>): void {
  const fd = openSync(tar, 'r')
  const contentBytes = fstatSync(fd).size
  const tree = readLayer((buffer, position) => readSync(fd, buffer, 0, buffer.length, position), contentBytes)
  closeSync(fd)
  writeFileSync(index, Buffer.concat([...erofsIndex(tree, { contentBytes, identity: '5'.repeat(64) })]))
  host.mounts.erofs({ index, devices: [tar], target: mounted })
}

function unpack({ tar, unpacked }: ReturnType<typeof place>): void {
  const options = [
    '--numeric-owner',
    '--same-owner',
    '--preserve-permissions',
    '--xattrs',
    '--xattrs-include=*',
    '--delay-directory-restore',
    '--warning=no-timestamp',
  ]
  execFileSync('tar', ['--extract', `--file=${tar}`, `--directory=${unpacked}`, '--absolute-names', ...options])
}

/** Each archive both ways; the trees must not differ in anything that can be seen. */
function assertSame(paths: ReturnType<typeof place>): number {
  mountLayer(paths)
  unpack(paths)
  const mounted = describeTree(host, paths.mounted)
  assert.deepEqual(mounted, describeTree(host, paths.unpacked))
  host.mounts.unmount(paths.mounted)
  rmSync(paths.unpacked, { recursive: true })
  return mounted.length
}

test("a part of this machine's own tree, packed by GNU tar in each of its formats, mounts as tar unpacks it", () => {
  for (const format of ['pax', 'gnu']) {
    const paths = place()
    const what = ['usr/share/zoneinfo', 'usr/share/perl', 'etc', 'usr/sbin', 'dev/null', 'dev/tty'].filter((path) => {
      try {
        return execFileSync('stat', [`/${path}`]).length > 0
      } catch {
        return false
      }
    })
    // The directories on the way get entries of their own, as in a base layer.
    execFileSync(
      'tar',
      [
        '--create',
        `--file=${paths.tar}`,
        `--format=${format}`,
        '--xattrs',
        '--xattrs-include=*',
        '--numeric-owner',
        '--sort=name',
        '--directory=/',
        '--no-recursion',
        './',
        './usr',
        './usr/share',
        './dev',
        '--recursion',
        ...what.map((path) => `./${path}`),
      ],
      { stdio: 'ignore' },
    )
    assert.ok(assertSame(paths) > 500)
  }
})

const WHEN = { mtimeS: 1_600_000_000, mtimeNs: 5 }

test('files around the block size, large directories, long names and odd bytes come out right', () => {
  const sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 100_000]
  const parts: Entry[] = [
    { path: '', type: 'directory', ...WHEN },
    ...sizes.map((size) => ({ path: `size-${size}`, body: Buffer.alloc(size, `${size} `), ...WHEN })),
    { path: 'many', type: 'directory', ...WHEN },
    ...Array.from({ length: 3000 }, (_, index) => ({
      path: `many/${index % 5 === 0 ? 'long'.repeat(60) : 'f'}${index}`,
      ...WHEN,
    })),
    { path: 'n'.repeat(255), body: 'name', ...WHEN },
    ...[447, 448, 511, 512, 513, 4000].map((length) => ({
      path: `link-${length}`,
      type: 'symlink' as const,
      linkname: 'l'.repeat(length),
      ...WHEN,
    })),
    { path: 'before-1970', body: 'x', mtimeS: -100, mtimeNs: 7 },
    { path: 'far-owner', uid: 4_000_000_000, gid: 70_000, mode: 0o6711, body: 'x', ...WHEN },
    {
      path: 'attributes',
      body: 'x',
      xattrs: {
        'user.big': Buffer.alloc(3000, 7),
        'security.capability': Buffer.from('0100000200040000000000000000000000000000', 'hex'),
        'trusted.one': '1',
      },
      ...WHEN,
    },
    ...Array.from({ length: 20 }, (_, index) => ({ path: `shared-${index}`, xattrs: { 'user.same': 'same' }, ...WHEN })),
    { path: 'device', type: 'block', devMajor: 259, devMinor: 70_000, ...WHEN },
    { path: 'first', body: 'linked', ...WHEN },
    ...Array.from({ length: 50 }, (_, index) => ({ path: `hard-${index}`, type: 'hardlink' as const, linkname: 'first' })),
  ]
  const paths = place()
  writeFileSync(paths.tar, tarOf(parts))
  assertSame(paths)
})

test('random trees mount as tar unpacks them', () => {
  const name = fc
    .oneof(fc.stringMatching(/^[a-c]{1,2}$/), fc.stringMatching(/^[!-.0-~]{1,30}$/))
    .filter((text) => !/^\.{1,2}$|^\.wh\./.test(text))
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
  const times = { mtimeS: fc.integer({ min: 0, max: 2 ** 32 }), mtimeNs: fc.nat(999_999_999) }
  const owner = { uid: fc.nat(100_000), gid: fc.nat(100_000), mode: fc.nat(0o7777) }
  const entry: fc.Arbitrary<Entry> = fc.oneof(
    fc.record({ path, ...times, ...owner, body: fc.uint8Array({ maxLength: 1200 }).map((bytes) => Buffer.from(bytes)) }),
    fc.record({ path, ...times, ...owner, type: fc.constant('directory' as const) }),
    fc.record({
      path,
      ...times,
      type: fc.constant('symlink' as const),
      linkname: fc.constantFrom('a', '../b', '/nowhere', 'x'.repeat(600)),
    }),
    fc.record({
      path,
      ...times,
      ...owner,
      type: fc.constant('char' as const),
      devMajor: fc.integer({ min: 1, max: 4000 }),
      devMinor: fc.nat(100_000),
    }),
  )
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 25 }), (drafts) => {
      // One meaning only: no name twice, no name below a file, and parents before what they hold.
      const kept = new Map<string, Entry>([['', { path: '', type: 'directory', mtimeS: 1 }]])
      for (const draft of drafts) {
        const parents = draft.path
          .split('/')
          .slice(0, -1)
          .map((_, index, all) => all.slice(0, index + 1).join('/'))
        if (kept.has(draft.path) || parents.some((parent) => kept.has(parent) && kept.get(parent)?.type !== 'directory')) continue
        for (const parent of parents) if (!kept.has(parent)) kept.set(parent, { path: parent, type: 'directory', mtimeS: 2 })
        kept.set(draft.path, draft)
      }
      const paths = place()
      writeFileSync(paths.tar, tarOf([...kept.values()]))
      assertSame(paths)
    }),
    { numRuns: 40 },
  )
})

test('a file that lies past 4 GiB of the tar is read from its place', () => {
  const paths = place()
  const size = 5 * 2 ** 30
  const first = tarHeader({ path: bytesOfText('sparse'), type: 'file', size })
  const last = tarOf([{ path: 'behind', body: 'found' }])
  writeFileSync(paths.tar, first)
  truncateSync(paths.tar, first.length + size)
  const fd = openSync(paths.tar, 'r+')
  writeSync(fd, last, 0, last.length, first.length + size)
  writeSync(fd, 'end', first.length + size - 3)
  assert.equal([...scanTar((buffer, position) => readSync(fd, buffer, 0, buffer.length, position), fstatSync(fd).size)].length, 2)
  closeSync(fd)
  mountLayer(paths)
  assert.equal(readFileSync(join(paths.mounted, 'behind'), 'utf8'), 'found')
  const big = openSync(join(paths.mounted, 'sparse'), 'r')
  const tail = Buffer.alloc(3)
  readSync(big, tail, 0, 3, size - 3)
  assert.equal(fstatSync(big).size, size)
  assert.equal(tail.toString(), 'end')
  closeSync(big)
})

test('an empty layer mounts as an empty directory', () => {
  const paths = place()
  writeFileSync(paths.tar, TAR_END)
  mountLayer(paths)
  assert.equal(describeTree(host, paths.mounted).length, 1)
})
