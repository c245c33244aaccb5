import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'

import { digestOf } from '#oci/digest'

import { compressLayer } from './compress.ts'
import { findIgzip } from './igzip.ts'

/** Around the size of a block. */
const SIZES = [0, 1, 4 * 1024 * 1024 - 1, 4 * 1024 * 1024, 4 * 1024 * 1024 + 1, 9 * 1024 * 1024]

/** zlib, and igzip where it is installed. */
const programs = [...new Set([undefined, findIgzip()])]

test('a layer always becomes the same bytes, and gunzip gives it back', { timeout: 60_000 }, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-compress-'))
  const [tarPath, path] = [join(directory, 'tar'), join(directory, 'layer')]
  try {
    for (const program of programs)
      await context.test(program ?? 'zlib', async () => {
        for (const size of SIZES) {
          const plain = Buffer.alloc(size, 'some text that repeats, ')
          writeFileSync(tarPath, plain)
          const digests = new Set<string>()
          for (let run = 0; run < 2; run += 1) {
            let taken = 0
            await using made = await compressLayer({ tarPath, path, program, onProgress: (bytes) => (taken = bytes) })
            const bytes = readFileSync(path)
            assert.deepEqual([digestOf(bytes), bytes.length, taken], [made.digest, made.sizeBytes, size])
            assert.ok(gunzipSync(bytes).equals(plain))
            digests.add(made.digest)
          }
          assert.equal(digests.size, 1)
          assert.deepEqual(readdirSync(directory), ['tar'])
        }
      })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a program that fails gives way to zlib, and one that is stopped stays stopped', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-compress-'))
  const [tarPath, path] = [join(directory, 'tar'), join(directory, 'layer')]
  try {
    writeFileSync(tarPath, Buffer.alloc(100_000, 'text '))
    const sizes = new Set<number>()
    for (const program of [undefined, '/bin/false', '/bin/cat', '/nowhere/igzip']) {
      await using made = await compressLayer({ tarPath, path, program, onProgress: () => undefined })
      sizes.add(made.sizeBytes)
    }
    assert.equal(sizes.size, 1)
    const onProgress = () => {
      throw new Error('nobody wants it')
    }
    for (const program of programs) await assert.rejects(compressLayer({ tarPath, path, program, onProgress }), /nobody wants it/)
    assert.deepEqual(readdirSync(directory), ['tar'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
