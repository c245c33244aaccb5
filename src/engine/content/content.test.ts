import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import fc from 'fast-check'

import { type Digest } from '#base'
import { digestOf, parseVerifiableDigest } from '#oci/digest'

import { createContent, type ContentStore } from './index.ts'

interface Rig extends Disposable {
  readonly root: string
  readonly content: ContentStore
  files(): readonly string[]
}

function rig(): Rig {
  const root = mkdtempSync(join(tmpdir(), 'glovebox-content-'))
  const list = (path: string) => readdirSync(join(root, 'content', path))
  return {
    root,
    content: createContent({ root }),
    files: () => [...list('blobs/sha256'), ...list('ingest').map((name) => `half-made ${name}`)],
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  }
}

async function* chunks(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

const bytes = randomBytes(300_000)

test('a blob is stored under its digest and reads back, whole and in ranges', async () => {
  using at = rig()
  const stored = await at.content.ingest(chunks(bytes.subarray(0, 7), bytes.subarray(7)), { digest: digestOf(bytes) })
  assert.deepEqual(stored, { digest: digestOf(bytes), sizeBytes: bytes.length })
  assert.deepEqual(await at.content.read(stored.digest, 1_000_000), bytes)
  const part = await at.content.open(stored.digest, { startByte: 5, endByte: 200_005 }).toArray()
  assert.deepEqual(Buffer.concat(part as Buffer[]), bytes.subarray(5, 200_005))
  assert.deepEqual(await at.content.open(stored.digest, { startByte: 3, endByte: 3 }).toArray(), [])
  await at.content.verify(stored.digest)
  assert.deepEqual(await at.content.list(), [stored])
  await at.content.delete(stored.digest)
  await at.content.delete(stored.digest)
  assert.equal(at.content.stat(stored.digest), undefined)
  assert.throws(() => at.content.open(stored.digest), { code: 'content.not_found' })
})

test('sha512 is verified and the blob still goes by sha256', async () => {
  using at = rig()
  const digest = parseVerifiableDigest(`sha512:${createHash('sha512').update(bytes).digest('hex')}`)
  assert.equal((await at.content.ingest(chunks(bytes), { digest })).digest, digestOf(bytes))
  const wrong = parseVerifiableDigest(`sha512:${'0'.repeat(128)}`)
  await assert.rejects(at.content.ingest(chunks(Buffer.from('y')), { digest: wrong }), { code: 'digest.mismatch' })
})

test('bytes that are not the promised ones leave nothing behind', async () => {
  using at = rig()
  const digest = digestOf(bytes)
  async function* broken() {
    yield bytes
    throw new Error('the line went dead')
  }
  const layer = gzipSync(bytes)
  const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['digest.mismatch', () => at.content.ingest(chunks(Buffer.from('other')), { digest })],
    ['digest.size_mismatch', () => at.content.ingest(chunks(bytes), { sizeBytes: bytes.length - 1 })],
    ['digest.size_mismatch', () => at.content.ingest(chunks(bytes), { sizeBytes: bytes.length + 1 })],
    ['content.too_large', () => at.content.ingest(chunks(bytes), { maxBytes: 10 })],
    ['invariant.broken', () => at.content.ingest(broken())],
    ['digest.mismatch', () => at.content.ingestLayer(chunks(layer), { digest })],
    ['digest.mismatch', () => at.content.ingestLayer(chunks(layer), { diffId: digestOf(layer) })],
    ['digest.size_mismatch', () => at.content.ingestLayer(chunks(layer), { sizeBytes: layer.length - 1 })],
    ['content.too_large', () => at.content.ingestLayer(chunks(layer), { maxBytes: 1000 })],
    ['digest.mismatch', () => at.content.ingestLayer(chunks(bytes), { diffId: digestOf('other') })],
    ['content.compression_invalid', () => at.content.ingestLayer(chunks(layer, Buffer.from('junk')))],
    ['content.compression_invalid', () => at.content.ingestLayer(chunks(layer, Buffer.alloc(512)))],
    ['content.compression_invalid', () => at.content.ingestLayer(chunks(layer.subarray(0, -3)))],
    ['content.compression_unsupported', () => at.content.ingestLayer(chunks(Buffer.from('BZh91AY')))],
    [
      'content.compression_unsupported',
      () => at.content.ingestLayer(chunks(Buffer.from([0xfd, 0x37]), Buffer.from([0x7a, 0x58, 0x5a]))),
    ],
  ]
  for (const [code, attempt] of attempts) await assert.rejects(attempt(), { code })
  assert.deepEqual(at.files(), [])
})

test('compressed layers are stored as their plain tar, in one or several members', async () => {
  for (const compress of [gzipSync, zstdCompressSync]) {
    using at = rig()
    const packed = Buffer.concat([compress(bytes.subarray(0, 100_000)), compress(bytes.subarray(100_000))])
    const stored = await at.content.ingestLayer(chunks(packed.subarray(0, 2), packed.subarray(2)), {
      digest: digestOf(packed),
      sizeBytes: packed.length,
      diffId: digestOf(bytes),
    })
    assert.equal(stored.diffId, digestOf(bytes))
    assert.deepEqual(stored.source, { digest: digestOf(packed), sizeBytes: packed.length })
    assert.deepEqual(await at.content.read(stored.diffId, bytes.length), bytes)
  }
})

test('a zstd frame that asks for a window of 2 GB is refused', async () => {
  using at = rig()
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00])
  await assert.rejects(at.content.ingestLayer(chunks(frame)), { code: 'content.compression_invalid' })
})

test('a bomb stops at the ratio limit', { timeout: 60_000 }, async () => {
  using at = rig()
  // 64 MiB of zeros in each frame of 6 kB: 512 MiB in all.
  const frame = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024))
  const bomb = chunks(...Array.from({ length: 8 }, () => frame))
  await assert.rejects(at.content.ingestLayer(bomb), { code: 'content.bomb' })
  assert.deepEqual(at.files(), [])
})

test('what was half made before a crash is gone after recover, what was whole is not', async () => {
  using at = rig()
  const stored = await at.content.put(bytes)
  writeFileSync(join(at.root, 'content/ingest/1'), 'half')
  const next = createContent({ root: at.root })
  await next.recover()
  assert.deepEqual(at.files(), [stored.digest.slice(7)])
})

test('a changed blob is found by verify', async () => {
  using at = rig()
  const { digest } = await at.content.put(Buffer.from('right'))
  writeFileSync(at.content.path(digest), 'wrong')
  await assert.rejects(at.content.verify(digest), { code: 'content.corrupt' })
})

test('a forged digest never becomes a path', () => {
  using at = rig()
  for (const forged of ['sha256:../../etc/passwd', 'sha256:', '../x'])
    assert.throws(() => at.content.stat(forged as Digest), { code: 'digest.invalid' })
  assert.ok(existsSync(at.root))
})

test('any bytes in any chunks survive any compression', async () => {
  using at = rig()
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 3000 }),
      fc.constantFrom('none' as const, 'gzip' as const, 'zstd' as const),
      fc.integer({ min: 1, max: 500 }),
      async (plain, compression, step) => {
        const packed = compression === 'none' ? plain : compression === 'gzip' ? gzipSync(plain) : zstdCompressSync(plain)
        const parts = Array.from({ length: Math.ceil(packed.length / step) }, (_, i) => packed.subarray(i * step, (i + 1) * step))
        const stored = await at.content.ingestLayer(chunks(...parts), { compression, digest: digestOf(packed) })
        assert.equal(stored.diffId, digestOf(plain))
        assert.deepEqual(new Uint8Array(await at.content.read(stored.diffId, 3000)), plain)
      },
    ),
    { numRuns: 60 },
  )
})
