import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'

import { DEFAULT_LOG, withDefaultLog } from './default-log.ts'

test('a container that says nothing has the log of the daemon, and one that says something changes that', () => {
  const fallback = { driver: 'json-file', options: { 'max-size': '10m', tag: 'x' } } as const
  assert.deepEqual(withDefaultLog(fallback, { driver: '', options: {} }), fallback)
  assert.deepEqual(withDefaultLog(fallback, { driver: 'json-file', options: { 'max-file': '3', tag: 'y' } }), {
    driver: 'json-file',
    options: { 'max-size': '10m', 'max-file': '3', tag: 'y' },
  })
})

test('options of one driver are none of another', () => {
  const fallback = { driver: 'json-file', options: { tag: 'x' } } as const
  assert.deepEqual(withDefaultLog(fallback, { driver: 'local', options: {} }), { driver: 'local', options: {} })
  assert.deepEqual(withDefaultLog(fallback, { driver: 'none', options: {} }), { driver: 'none', options: {} })
})

test('options are refused in dockerd’s words', () => {
  for (const [options, message] of [
    [{ 'max-file': 'x' }, /invalid log opt max-file=x/],
    [{ lables: 'x' }, /unknown log opt 'lables' for json-file log driver/],
  ] as const)
    for (const driver of ['json-file', ''] as const)
      assert.throws(() => withDefaultLog(DEFAULT_LOG, { driver, options: { ...options } }), { message })
})

test('property: what is kept is one driver with options that it knows, and settling it again changes nothing', () => {
  const drivers = ['json-file', 'local', 'none'] as const
  const options = fc.dictionary(
    fc.constantFrom('max-size', 'max-file', 'tag', 'mode', 'compress'),
    fc.constantFrom('1m', '3', 'true', ''),
  )
  const some = <T>(from: readonly T[]) => fc.record({ driver: fc.constantFrom(...from), options })
  fc.assert(
    fc.property(some(drivers), some([...drivers, ''] as const), (fallback, log) => {
      try {
        const settled = withDefaultLog(fallback, log)
        assert.ok(log.driver === '' || settled.driver === log.driver)
        assert.deepEqual(withDefaultLog(fallback, settled), settled)
      } catch (error) {
        assert.ok(isKind(error, 'invalid') || isKind(error, 'unsupported'), String(error))
      }
    }),
  )
})
