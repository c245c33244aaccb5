import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'

import fc from 'fast-check'

import { digestOf, isDigest, parseDigest, parseVerifiableDigest, verifier } from './index.ts'

const bytes = Buffer.from('glovebox')
const sha512 = `sha512:${createHash('sha512').update(bytes).digest('hex')}`

test('only the strict form is a digest', () => {
  const hex = 'ab'.repeat(32)
  assert.equal(parseDigest(`sha256:${hex}`), `sha256:${hex}`)
  const refused: readonly unknown[] = [
    hex,
    `sha256:${hex.toUpperCase()}`,
    `SHA256:${hex}`,
    `sha256:${hex}0`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}\n`,
    'sha256:../../x',
    `md5:${'a'.repeat(32)}`,
    `sha512:${hex}`,
    `sha512:${hex}${hex}`,
    '',
    undefined,
    7,
    null,
  ]
  for (const text of refused) assert.throws(() => parseDigest(text), { code: 'digest.invalid' }, String(text))
})

test('sha512 is read for verification with its own length only', () => {
  assert.equal(parseVerifiableDigest(sha512).algorithm, 'sha512')
  assert.throws(() => parseVerifiableDigest(`sha512:${'a'.repeat(64)}`), { code: 'digest.invalid' })
})

test('a verifier accepts what was promised and gives the sha256', () => {
  for (const digest of [digestOf(bytes), parseVerifiableDigest(sha512)]) {
    const check = verifier({ digests: [digest], sizeBytes: bytes.length }, 'blob')
    check.update(bytes.subarray(0, 3))
    check.update(bytes.subarray(3))
    assert.deepEqual(check.finish(), { digest: digestOf(bytes), sizeBytes: bytes.length })
  }
})

test('other bytes, too many and too few are told apart', () => {
  const wrong = verifier({ digests: [digestOf('other')] }, 'blob')
  wrong.update(bytes)
  assert.throws(() => wrong.finish(), { code: 'digest.mismatch' })
  const long = verifier({ sizeBytes: 3 }, 'blob')
  assert.throws(() => long.update(bytes), { code: 'digest.size_mismatch' })
  const short = verifier({ sizeBytes: 100 }, 'blob')
  short.update(bytes)
  assert.throws(() => short.finish(), { code: 'digest.size_mismatch' })
})

test('the digest of anything is a digest', () => {
  fc.assert(fc.property(fc.uint8Array(), (any) => assert.ok(isDigest(digestOf(any)))))
})
