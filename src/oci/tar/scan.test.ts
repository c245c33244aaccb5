import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'

import fc from 'fast-check'
import { pack } from 'tar-stream'

import { GloveboxError } from '#base'

import { bytesOfText, textOfBytes } from './bytes.ts'
import type { TarEntry, TarEntryInit } from './entry.ts'
import { scanTar as scanSparse } from './scan.ts'
import { anyEntry, pushBuffer, scanBuffer } from './tar-fixture.ts'
import { TAR_END, tarHeader, tarPadding } from './write.ts'

function archive(entries: readonly TarEntryInit[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const size = entry.size ?? 0
    return [tarHeader(entry), Buffer.alloc(size, 0x61), tarPadding(size)]
  })
  return Buffer.concat([...blocks, TAR_END])
}

function withoutPlace({ dataOffset: _data, headerOffset: _header, ...entry }: TarEntry) {
  return { ...entry, xattrs: entry.xattrs.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

function asRead(entry: TarEntryInit) {
  const { xattrs = [] } = entry
  return {
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeS: 0,
    mtimeNs: 0,
    linkname: '',
    devMajor: 0,
    devMinor: 0,
    ...entry,
    xattrs: xattrs.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }
}

/** Changes bytes of the header block at `at` and mends its checksum. */
function patched(tar: Buffer, at: number, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(tar)
  const header = copy.subarray(at, at + 512)
  change(header)
  header.fill(0x20, 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return copy
}

/** A pax header before an entry, from records as they stand. */
function paxed(records: string, entry: TarEntryInit, flag = 'x'): Buffer {
  const body = Buffer.from(records, 'latin1')
  const header = patched(tarHeader({ path: bytesOfText('pax'), type: 'file', size: body.length }), 0, (block) =>
    block.write(flag, 156),
  )
  return Buffer.concat([header, body, tarPadding(body.length), archive([entry])])
}

function record(key: string, value: string): string {
  let length = key.length + value.length + 3
  length += String(length).length
  if (String(length).length > String(length - 1).length && `${length} ${key}=${value}\n`.length !== length) length += 1
  while (`${length} ${key}=${value}\n`.length !== length) length = `${length} ${key}=${value}\n`.length
  return `${length} ${key}=${value}\n`
}

const file = (path: string, more: Partial<TarEntryInit> = {}): TarEntryInit => ({
  path: bytesOfText(path),
  type: 'file',
  ...more,
})

test('whatever is written is read back, by position and in chunks of any size', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 12 }), fc.integer({ min: 1, max: 3000 }), (entries, chunkBytes) => {
      const tar = archive(entries)
      const read = scanBuffer(tar)
      assert.deepEqual(read.map(withoutPlace), entries.map(asRead))
      assert.deepEqual(
        pushBuffer(tar, () => chunkBytes),
        read,
      )
      for (const entry of read)
        assert.ok(tar.subarray(entry.dataOffset, entry.dataOffset + entry.size).every((byte) => byte === 0x61))
    }),
    { numRuns: 200 },
  )
})

test('damaged archives end in an error of the scanner, never in another one, and both scanners agree', () => {
  const outcome = (scan: () => TarEntry[]) => {
    try {
      return scan().length
    } catch (error) {
      assert.ok(error instanceof GloveboxError && error.code.startsWith('tar.'), String(error))
      return error.code
    }
  }
  fc.assert(
    fc.property(
      fc.array(anyEntry, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      fc.boolean(),
      fc.nat(),
      (entries, damages, isMended, cut) => {
        let tar = archive(entries)
        for (const [at, byte] of damages) {
          const block = Math.floor((at % tar.length) / 512) * 512
          tar = isMended ? patched(tar, block, (header) => void (header[at % 512] = byte)) : Buffer.from(tar)
          if (!isMended) tar[at % tar.length] = byte
        }
        if (cut % 3 === 0) tar = tar.subarray(0, cut % (tar.length + 1))
        assert.equal(
          outcome(() => scanBuffer(tar)),
          outcome(() => pushBuffer(tar, () => 700)),
        )
      },
    ),
    { numRuns: 500 },
  )
})

test('names are made relative, and their bytes are kept', () => {
  const names = ['./a', '/abs//x/./y', 'dir/./', './']
  const tar = Buffer.concat([
    ...names.map((name) =>
      patched(tarHeader({ path: bytesOfText('x'), type: 'directory' }), 0, (header) => {
        header.fill(0, 0, 100)
        header.write(name, 0, 'latin1')
      }),
    ),
    tarHeader({ path: '\xff\xfe' as TarEntryInit['path'], type: 'file' }),
    TAR_END,
  ])
  assert.deepEqual(
    scanBuffer(tar).map((entry) => entry.path),
    ['a', 'abs/x/y', 'dir', '', '\xff\xfe'],
  )
  assert.equal(textOfBytes(bytesOfText('späße')), 'späße')
})

test('archives of another writer are read as it meant them', async () => {
  const packer = pack()
  const long = `${'d'.repeat(120)}/${'f'.repeat(140)}`
  packer.entry({ name: long, mode: 0o640, uid: 1000, mtime: new Date(1_600_000_000_000) }, 'hello')
  packer.entry({ name: 'späße', type: 'symlink', linkname: 'l'.repeat(150) })
  packer.entry({ name: 'dir/', type: 'directory', mode: 0o1777 })
  packer.finalize()
  const tar = await buffer(packer)
  assert.deepEqual(
    scanBuffer(tar).map(({ path, type, mode, uid, size, mtimeS, linkname }) => [
      textOfBytes(path),
      type,
      mode,
      uid,
      size,
      mtimeS > 0,
      linkname.length,
    ]),
    [
      [long, 'file', 0o640, 1000, 5, true, 0],
      ['späße', 'symlink', 0o644, 0, 0, true, 150],
      ['dir', 'directory', 0o1777, 0, 0, true, 0],
    ],
  )
})

test('GNU long names and base-256 numbers are read', () => {
  const long = 'x/'.repeat(120) + 'end'
  const longHeader = (flag: string, text: string) => {
    const body = Buffer.from(`${text}\0`)
    return Buffer.concat([
      patched(tarHeader(file('@LongLink', { size: body.length })), 0, (header) => header.write(flag, 156)),
      body,
      tarPadding(body.length),
    ])
  }
  const main = patched(tarHeader({ path: bytesOfText('short'), type: 'symlink', linkname: bytesOfText('l') }), 0, (header) => {
    header.fill(0, 108, 116)
    header[108] = 0x80
    header.writeUInt32BE(3_000_000_000, 112)
    header.fill(0xff, 136, 148)
    header.writeInt32BE(-5, 144)
  })
  const [entry] = scanBuffer(Buffer.concat([longHeader('L', long), longHeader('K', 't'.repeat(300)), main, TAR_END]))
  assert.equal(entry?.path, long)
  assert.equal(entry?.linkname, 't'.repeat(300))
  assert.equal(entry?.uid, 3_000_000_000)
  assert.equal(entry?.mtimeS, -5)
  assert.equal(entry?.headerOffset, 0)
})

test('pax times before 1970 and with fractions keep their nanoseconds', () => {
  const time = (text: string) => {
    const [entry] = scanBuffer(paxed(record('mtime', text), file('f')))
    return [entry?.mtimeS, entry?.mtimeNs]
  }
  assert.deepEqual(time('12.5'), [12, 500_000_000])
  assert.deepEqual(time('-1.25'), [-2, 750_000_000])
  assert.deepEqual(time('7.1234567899'), [7, 123_456_789])
})

test('attributes come from both dialects, and must agree', () => {
  const both =
    record('SCHILY.xattr.user.a b', 'v=1') +
    record('LIBARCHIVE.xattr.user.a%20b', Buffer.from('v=1').toString('base64').replace(/=+$/, ''))
  assert.deepEqual(
    scanBuffer(paxed(both, file('f')))[0]?.xattrs.map(({ name, value }) => [name, value.toString()]),
    [['user.a b', 'v=1']],
  )
  const differ = record('SCHILY.xattr.user.a', '1') + record('LIBARCHIVE.xattr.user.a', 'Mg')
  assert.throws(() => scanBuffer(paxed(differ, file('f'))), { code: 'tar.ambiguous' })
})

const plain = archive([file('f', { size: 10 })])
const gigantic = paxed(record('size', String(2 ** 40)), file('f'))

const REFUSED: readonly (readonly [title: string, code: string, tar: Buffer])[] = [
  ['a wrong checksum', 'tar.malformed', Buffer.from(plain).fill(0x62, 0, 1)],
  ['an archive cut in a body', 'tar.truncated', plain.subarray(0, 600)],
  ['an archive cut in a header', 'tar.truncated', plain.subarray(0, 100)],
  ['a body without its padding', 'tar.truncated', plain.subarray(0, 522)],
  ['`..` in a name', 'tar.malformed', archive([file('a/../b')])],
  ['an absolute name with `..`', 'tar.malformed', archive([file('/../b')])],
  ['an empty name', 'tar.malformed', patched(plain, 0, (header) => header.fill(0, 0, 100))],
  ['a component of 256 bytes', 'tar.malformed', archive([file('n'.repeat(256))])],
  ['a name of 4096 bytes', 'tar.malformed', archive([file('a/'.repeat(2047) + 'bc')])],
  ['a name of 1025 components', 'tar.malformed', archive([file('a/'.repeat(1024) + 'b')])],
  ['a root that is a file', 'tar.malformed', archive([file('.')])],
  ['a pax size unlike the plain one', 'tar.ambiguous', paxed(record('size', '512'), file('f', { size: 0 }))],
  ['a pax size of zero over a body', 'tar.ambiguous', paxed(record('size', '0'), file('f', { size: 512 }))],
  ['a pax size past the end', 'tar.truncated', gigantic],
  ['a negative size', 'tar.malformed', patched(plain, 0, (header) => header.fill(0xff, 124, 136))],
  ['a size that is no number', 'tar.malformed', patched(plain, 0, (header) => header.write('12x', 124))],
  ['a pax size that is no number', 'tar.malformed', paxed(record('size', '-1'), file('f'))],
  ['a pax key given twice', 'tar.ambiguous', paxed(record('path', 'a') + record('path', 'b'), file('f'))],
  ['a pax record with a wrong length', 'tar.malformed', paxed('8 path=a\n', file('f'))],
  ['a pax record of length zero', 'tar.malformed', paxed('0 path=a\n', file('f'))],
  ['an empty pax path', 'tar.ambiguous', paxed(record('path', ''), file('f'))],
  ['NUL in a pax path', 'tar.malformed', paxed(record('path', 'a\0b'), file('f'))],
  ['a GNU sparse file in pax form', 'tar.unsupported', paxed(record('GNU.sparse.major', '1'), file('f'))],
  ['a GNU sparse file in the old form', 'tar.unsupported', patched(plain, 0, (header) => header.write('S', 156))],
  ['an unknown type', 'tar.unsupported', patched(plain, 0, (header) => header.write('Q', 156))],
  ['a directory with a body', 'tar.ambiguous', patched(plain, 0, (header) => header.write('5', 156))],
  [
    'a hard link with a body',
    'tar.ambiguous',
    patched(plain, 0, (header) => header.write('1', 156).toString() && header.write('x', 157)),
  ],
  ['a file whose name ends with a slash', 'tar.ambiguous', patched(plain, 0, (header) => header.write('f/', 0))],
  ['a global header that names a path', 'tar.ambiguous', paxed(record('path', 'a'), file('f'), 'g')],
  [
    'two pax headers before one entry',
    'tar.ambiguous',
    Buffer.concat([paxed(record('path', 'a'), file('f')).subarray(0, 1024), paxed(record('uid', '1'), file('f'))]),
  ],
  [
    'an extended header at the end',
    'tar.truncated',
    Buffer.concat([paxed(record('path', 'a'), file('f')).subarray(0, 1024), TAR_END]),
  ],
  [
    'a pax header of 2 GiB',
    'tar.limit',
    patched(plain, 0, (header) => void (header.write('x', 156), header.write('20000000000', 124))),
  ],
  [
    'a long name of 2 GiB',
    'tar.limit',
    patched(plain, 0, (header) => void (header.write('L', 156), header.write('20000000000', 124))),
  ],
  ['bytes after the end', 'tar.ambiguous', Buffer.concat([plain, plain])],
  ['an entry after a lone zero block', 'tar.ambiguous', Buffer.concat([Buffer.alloc(512), plain])],
  ['a symlink without a target', 'tar.malformed', archive([{ path: bytesOfText('l'), type: 'symlink' }])],
  [
    'a hard link to `..`',
    'tar.malformed',
    archive([{ path: bytesOfText('l'), type: 'hardlink', linkname: bytesOfText('../x') }]),
  ],
  ['an owner of -1', 'tar.malformed', archive([file('f', { uid: 4_294_967_295 })])],
]

for (const [title, code, tar] of REFUSED)
  test(`${title} is refused with ${code}`, () => {
    assert.throws(() => scanBuffer(tar), { code })
    assert.throws(() => pushBuffer(tar, () => 1000), { code })
  })

test('errors name the entry and where it is', () => {
  const tar = Buffer.concat([archive([file('first', { size: 5 })]).subarray(0, 1024), archive([file('evil/../name')])])
  assert.throws(() => scanBuffer(tar), { message: 'tar entry "evil/../name" at offset 1024: ".." in name' })
})

test('sizes past eight GiB are read from pax and from base-256 alike, and the next header is looked for behind them', () => {
  const size = 9 * 2 ** 30 + 1
  const header = tarHeader(file('big', { size }))
  const next = archive([file('next')])
  const end = header.length + Math.ceil(size / 512) * 512
  const base256 = patched(tarHeader(file('big')), 0, (block) => {
    block.fill(0, 124, 136)
    block[124] = 0x80
    block.writeBigUInt64BE(BigInt(size), 128)
  })
  for (const first of [header, base256]) {
    const nextAt = end - header.length + first.length
    const readAt = (into: Buffer, position: number) => {
      if (position < first.length) return first.copy(into, 0, position)
      return position >= nextAt ? next.copy(into, 0, position - nextAt) : into.fill(0).length
    }
    const found = [...scanSparse(readAt, nextAt + next.length)]
    assert.deepEqual(
      found.map((entry) => [entry.path, entry.size, entry.headerOffset]),
      [
        ['big', size, 0],
        ['next', 0, nextAt],
      ],
    )
  }
})
