import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { readLife } from './life.ts'
import { expiryText } from './ls.ts'

const HOUR_MS = 3_600_000

test('a life is days, weeks, or a duration as everywhere, and a week when nothing is said', () => {
  assert.deepEqual(['3d', '2w', '1.5d', '1d12h', '90m', '1h30m', 'never', undefined].map(readLife), [
    72 * HOUR_MS,
    14 * 24 * HOUR_MS,
    36 * HOUR_MS,
    36 * HOUR_MS,
    1.5 * HOUR_MS,
    1.5 * HOUR_MS,
    null,
    7 * 24 * HOUR_MS,
  ])
  for (const wrong of ['', 'soon', '3', 'd', '-1d', '3 d', '1dd', '1dnever'])
    assert.throws(() => readLife(wrong), { code: 'cli.usage', message: new RegExp(`^--ttl: ${JSON.stringify(wrong)}`) }, wrong)
})

test('whatever is typed is read or refused as wrong usage', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 6 }), fc.stringMatching(/^[0-9.]{1,3}[dwhms]{1,2}$/)), (text) => {
      try {
        const life = readLife(text)
        assert.ok(life === null || Number.isFinite(life))
      } catch (error) {
        assert.equal((error as { readonly code?: unknown }).code, 'cli.usage', String(error))
      }
    }),
  )
})

test('an end is told from now on', () => {
  const now = 1_000_000
  assert.deepEqual(
    [
      expiryText({ state: 'active', expiresAtMs: null }, now),
      expiryText({ state: 'active', expiresAtMs: now + 5 * HOUR_MS }, now),
      expiryText({ state: 'active', expiresAtMs: now - 1 }, now),
      expiryText({ state: 'removing', expiresAtMs: null }, now),
    ],
    ['never', 'in 5 hours', 'now', 'now'],
  )
})
