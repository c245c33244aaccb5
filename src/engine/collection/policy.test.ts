import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { DEFAULT_POLICY, policyText, readPolicy, shareBytes } from './policy.ts'

const HOUR_MS = 3_600_000
const GIB = 1024 ** 3

test('the policy is on unless it is switched off', () => {
  assert.deepEqual(readPolicy('on'), DEFAULT_POLICY)
  assert.equal(readPolicy('off').isOn, false)
  assert.equal(policyText(readPolicy('off')), 'off')
})

test('settings change what they name and leave the rest', () => {
  const policy = readPolicy(
    'unused=30d,untagged=never,cache=12h,min-free=5%,target-free=8%,keep=3,protect=debian:*,protect=node:*',
  )
  assert.deepEqual(policy, {
    ...DEFAULT_POLICY,
    unusedMs: 30 * 24 * HOUR_MS,
    untaggedMs: null,
    cacheMs: 12 * HOUR_MS,
    minFree: { percent: 5, bytes: null },
    targetFree: { percent: 8, bytes: null },
    keepNewest: 3,
    protectedNames: ['debian:*', 'node:*'],
  })
})

test('one threshold draws the other along', () => {
  assert.deepEqual(readPolicy('min-free=2g').targetFree, { percent: null, bytes: 4 * GIB })
  assert.deepEqual(readPolicy('min-free=70%').targetFree, { percent: 100, bytes: null })
  assert.deepEqual(readPolicy('target-free=10%').minFree, { percent: 5, bytes: null })
})

test('a large disk is short of space later than its share says', () => {
  assert.equal(shareBytes(DEFAULT_POLICY.minFree, { totalBytes: 100 * GIB }), 10 * GIB)
  assert.equal(shareBytes(DEFAULT_POLICY.minFree, { totalBytes: 2000 * GIB }), 20 * GIB)
})

test('what is not understood is refused by name', () => {
  for (const [text, complaint] of [
    ['unuse=7d', /"unuse=7d" is not one of/],
    ['unused', /"unused" is not one of/],
    ['unused=7d,unused=8d', /unused is given twice/],
    ['unused=soon', /gc unused: .*"soon" is not a duration/],
    ['min-free=101%', /more than the whole disk/],
    ['min-free=ten', /"ten" is not a size/],
    ['min-free=10%,target-free=5%', /target-free \(5 %\) is less than min-free \(10 %\)/],
    ['keep=-1', /"-1" is not a number/],
    ['protect=$(id)', /not a name of images/],
    ['constructor=1', /is not one of/],
  ] as const)
    assert.throws(() => readPolicy(text), complaint)
})

test('any text is a policy or a plain refusal', () => {
  const word = fc.constantFrom(
    'unused',
    'min-free',
    'target-free',
    'keep',
    'protect',
    '=',
    ',',
    '%',
    '7d',
    'never',
    '10',
    'g',
    '*',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(word).map((words) => words.join('')),
      ),
      (text) => {
        try {
          assert.ok(policyText(readPolicy(text)).length > 0)
        } catch (error) {
          assert.ok(error instanceof GloveboxError && error.kind === 'invalid')
        }
      },
    ),
  )
})
