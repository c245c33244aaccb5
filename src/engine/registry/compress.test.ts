import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'

import fc from 'fast-check'

import { digestOf } from '#oci/digest'

import { compressLayer } from './compress.ts'

/** Around the size of a block. */
const SIZES = [0, 1, 4 * 1024 * 1024 - 1, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, 9 * 1024 * 1024]

test('however a layer is cut, it becomes the same bytes, and gunzip gives it back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-compress-'))
  try {
    for (const size of SIZES) {
      const plain = Buffer.alloc(size, 'some text that repeats, ')
      const digests = new Set<string>()
      for (const pieceBytes of fc.sample(fc.integer({ min: 50_000, max: 5_000_000 }), { numRuns: 3, seed: size })) {
        const pieces = Array.from({ length: Math.ceil(size / pieceBytes) }, (_, at) =>
          plain.subarray(at * pieceBytes, (at + 1) * pieceBytes),
        )
        let taken = 0
        await using made = await compressLayer(Readable.from(pieces), join(directory, 'layer'), (bytes) => (taken = bytes))
        const bytes = readFileSync(join(directory, 'layer'))
        assert.deepEqual([digestOf(bytes), bytes.length, taken], [made.digest, made.sizeBytes, size])
        assert.ok(gunzipSync(bytes).equals(plain))
        digests.add(made.digest)
      }
      assert.equal(digests.size, 1)
      assert.deepEqual(readdirSync(directory), [])
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
