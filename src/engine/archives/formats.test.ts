import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import { bytesOfText, packTar, tarHeader, TAR_END, tarPadding, type ByteString, type TarEntryInit } from '#oci/tar'

import { baseName, containerPath } from './container-path.ts'
import { errorOf } from './failure.ts'
import { membersOfFrames } from './frame-members.ts'
import { decodeEntry, decodeFailure, decodeStat, encodeEntry, encodeFrame, FRAME, readFrames, type Frame } from './frames.ts'
import { goFileMode } from './go-mode.ts'
import { tarFrames, type EntryPolicy } from './tar-frames.ts'

const GRANTS: EntryPolicy = { mayMakeDevices: true, owner: null }
const name = fc.stringMatching(/^[a-zA-Zä]{1,12}$/).map(bytesOfText)

const entry = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/') as ByteString),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 70_000 }),
  gid: fc.integer({ min: 0, max: 70_000 }),
  mtimeS: fc.integer({ min: 0, max: 4_000_000_000 }),
  mtimeNs: fc.integer({ min: 0, max: 999_999_999 }),
  xattrs: fc.array(
    fc.record({
      name: name.map((word) => `user.${word}` as ByteString),
      value: fc.uint8Array({ maxLength: 20 }).map(Buffer.from),
    }),
    {
      maxLength: 1,
    },
  ),
  body: fc.uint8Array({ maxLength: 2000 }).map(Buffer.from),
})

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

function fileOf({ body, ...rest }: { readonly body: Buffer } & Omit<TarEntryInit, 'type'>): TarEntryInit {
  return { ...rest, type: 'file', size: body.length }
}

async function framesOf(tar: Buffer, sizes: readonly number[], policy = GRANTS): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const frame of readFrames(Readable.from(tarFrames(Readable.from(cut(tar, sizes)), policy)))) frames.push(frame)
  return frames
}

describe('frames', () => {
  test('an archive turned into frames and back is the same archive, however its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 }),
        async (entries, sizes) => {
          const files = entries.map((file) => ({ entry: fileOf(file), body: [file.body] }))
          const tar = Buffer.concat(await Array.fromAsync(packTar(files)))
          const frames = await framesOf(tar, sizes)
          assert.equal(frames.at(-1)?.type, FRAME.end)
          const next = async () => frames.shift() ?? { type: FRAME.end, payload: Buffer.alloc(0) }
          const members = membersOfFrames(next, bytesOfText('base'))
          const again = Buffer.concat(await Array.fromAsync(packTar(members)))
          const moved = files.map(({ entry: one, body }) => ({ entry: { ...one, path: `base/${one.path}` as ByteString }, body }))
          assert.ok(again.equals(Buffer.concat(await Array.fromAsync(packTar(moved)))))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('bytes that are no frames are an error and never a crash', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        try {
          for await (const { type, payload } of readFrames(Readable.from([Buffer.from(bytes)]))) {
            if (type === FRAME.entry) decodeEntry(payload)
            if (type === FRAME.stat) decodeStat(payload)
            if (type === FRAME.failed) decodeFailure(payload)
          }
        } catch (error) {
          assert.match(String(error), /the confined program sent/)
        }
      }),
    )
    assert.throws(() => decodeEntry(encodeEntry({ path: bytesOfText('a'), type: 'file' }).subarray(5, 40)), /too short/)
  })

  test('the names in an archive of the root begin with a slash, as clients that rename them expect', async () => {
    const frames = [
      encodeEntry({ path: bytesOfText(''), type: 'directory' }),
      encodeEntry({ path: bytesOfText('a'), type: 'file' }),
      encodeFrame(FRAME.end),
    ]
    const source = readFrames(Readable.from(frames))
    const next = async () => (await source.next()).value ?? { type: FRAME.end, payload: Buffer.alloc(0) }
    const names = []
    for await (const { entry: found } of membersOfFrames(next, bytesOfText('/'))) names.push(found.path)
    assert.deepEqual(names, ['/', '/a'])
  })
})

describe('what an archive may ask for', () => {
  const node = (devMajor: number) =>
    Buffer.concat([tarHeader({ path: bytesOfText('n'), type: 'char', devMajor, devMinor: 0 }), tarPadding(0), TAR_END])

  test('device nodes are refused to a container without MKNOD, and overlayfs deletions to all', async () => {
    await framesOf(node(1), [512])
    await assert.rejects(framesOf(node(1), [512], { ...GRANTS, mayMakeDevices: false }), /may not have a device node/)
    await assert.rejects(framesOf(node(0), [512]), /may not have a device node/)
  })

  test('an owner that is decided replaces those of the archive', async () => {
    const tar = Buffer.concat([tarHeader({ path: bytesOfText('f'), type: 'file', uid: 7, gid: 8 }), TAR_END])
    const [frame] = await framesOf(tar, [512], { ...GRANTS, owner: { uid: 1000, gid: 1001 } })
    const { uid, gid } = decodeEntry(frame?.payload ?? Buffer.alloc(0))
    assert.deepEqual([uid, gid], [1000, 1001])
  })
})

describe('paths of containers', () => {
  test('are absolute, stop at the root, and keep what their end means', () => {
    const cases = {
      'a/b': '/a/b',
      '/a/../../b': '/b',
      '/a/': '/a/',
      '/a/.': '/a/.',
      '.': '/.',
      '/': '/',
      '//a//': '/a/',
      '/..': '/',
    }
    for (const [asked, meant] of Object.entries(cases)) assert.equal(containerPath(asked), meant)
    assert.throws(() => containerPath('a\0b'), /is no path/)
    assert.throws(() => containerPath('a'.repeat(5000)), /is no path/)
  })

  test('never climb, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('..', '.', '', 'a', 'b')).map((parts) => parts.join('/')),
        (path) => {
          const meant = containerPath(path)
          assert.ok(meant.startsWith('/') && !meant.split('/').includes('..'))
        },
      ),
    )
  })

  test('have the base name that Go finds', () => {
    for (const [path, base] of Object.entries({ '/a/b': 'b', '/a/': 'a', '/a/.': '.', '/': '/' }))
      assert.equal(baseName(path), base)
  })
})

test('modes are counted as Go counts them', () => {
  assert.equal(goFileMode(0o100644), 0o644)
  assert.equal(goFileMode(0o040755), 2_147_484_141)
  assert.equal(goFileMode(0o041777), 2 ** 31 + 2 ** 20 + 0o777)
  assert.equal(goFileMode(0o120777), 134_218_239)
  assert.equal(goFileMode(0o020600), 2 ** 26 + 2 ** 21 + 0o600)
  assert.equal(goFileMode(0o106755), 2 ** 23 + 2 ** 22 + 0o755)
})

test('what the confined program meets becomes an error with a kind', () => {
  const place = { container: 'web', path: '/x', mountTargets: ['/data'] }
  const kindOf = (about: Parameters<typeof errorOf>[0]['about'], errno: number, path = '/x') =>
    errorOf({ about, errno, doing: 'write', path }, place)
  assert.equal(kindOf('path', 2).message, 'Could not find the file /x in container web')
  assert.equal(kindOf('path', 2).kind, 'not_found')
  assert.equal(kindOf('entry', 28).kind, 'exhausted')
  assert.equal(kindOf('entry', 16).kind, 'conflict')
  assert.match(kindOf('read-only', 30, '/data/sub').message, /mounted volume/)
  assert.match(kindOf('read-only', 30, '/database').message, /container rootfs/)
  fc.assert(fc.property(fc.integer({ min: 1, max: 133 }), (errno) => kindOf('entry', errno).message.length > 0))
})
