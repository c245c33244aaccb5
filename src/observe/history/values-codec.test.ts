import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'

import { decodeValues, encodeValues } from './values-codec.ts'

const gap = fc.constant(NaN)
const anything = fc.oneof(
  fc.double(),
  gap,
  fc.integer(),
  fc.maxSafeInteger(),
  fc.integer().map((n) => n / 1e9),
  fc.constantFrom(-0, Infinity, -Infinity, 2 ** 48, -(2 ** 48), 2 ** 47),
)

test('whatever numbers a series has, they come back as they were', () => {
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 400 }), fc.boolean(), (numbers, isRising) => {
      const values = Float64Array.from(numbers)
      assert.deepEqual(decodeValues(encodeValues(values, isRising)), values)
    }),
  )
})

test('a hostile block is refused with an error of ours or gives numbers', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        assert.ok(decodeValues(bytes).length <= 100_000)
      } catch (error) {
        assert.ok(isKind(error, 'internal'), String(error))
      }
    }),
  )
})

test('an hour of a counter that grows evenly takes some bytes, and one with little noise two a value', () => {
  const even = Float64Array.from({ length: 360 }, (_, index) => 5 + index * 1.25)
  assert.ok(encodeValues(even, true).length < 40, String(encodeValues(even, true).length))
  const noisy = Float64Array.from({ length: 360 }, (_, index) => 1e12 + index * 4096 + ((index * 7919) % 64))
  assert.ok(encodeValues(noisy, true).length < 2 * 360 + 20, String(encodeValues(noisy, true).length))
  assert.ok(encodeValues(new Float64Array(360).fill(NaN), false).length < 8)
})
