import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { chooseAttributes } from './attributes.ts'
import { readLogOptions } from './options.ts'

const FACTS = {
  labels: { tier: 'web', 'com.example.team': 'red' },
  env: ['PORT=80', 'SECRET=x', 'EMPTY'],
  tag: {
    ...{ ID: 'abc', FullID: 'abcdef', Name: 'shop', FullName: '/shop', DaemonName: 'docker' },
    ...{ ImageID: '123', ImageFullID: 'sha256:123', ImageName: 'shop:1' },
  },
}

const attributes = (options: Readonly<Record<string, string>>) => {
  const policy = readLogOptions('json-file', options)
  return policy === null ? null : chooseAttributes(policy.attributes, FACTS)
}

test('json-file keeps everything in one file unless told otherwise', () => {
  const { attributes: _, ...policy } = readLogOptions('json-file', {}) ?? assert.fail()
  assert.deepEqual(policy, { maxBytes: null, maxFiles: 1, isCompressed: false, queueBytes: null })
})

test('local rotates and compresses by itself', () => {
  const { attributes: _, ...policy } = readLogOptions('local', {}) ?? assert.fail()
  assert.deepEqual(policy, { maxBytes: 20 * 1024 * 1024, maxFiles: 5, isCompressed: true, queueBytes: null })
  assert.equal(readLogOptions('local', { 'max-file': '1' })?.isCompressed, false)
})

test('none keeps nothing and takes no options', () => {
  assert.equal(readLogOptions('none', {}), null)
  assert.throws(() => readLogOptions('none', { 'max-size': '1m' }), /unknown log opt 'max-size' for none log driver/)
})

test('drivers and options that we do not have are refused by name', () => {
  for (const [driver, options, complaint] of [
    ['journald', {}, /log driver "journald" is not supported/],
    ['json-file', { 'max-sise': '1m' }, /unknown log opt 'max-sise' for json-file log driver/],
    ['local', { tag: 'x' }, /unknown log opt 'tag' for local log driver/],
    ['json-file', { 'max-size': '0' }, /max-size=0/],
    ['json-file', { 'max-size': 'big' }, /"big" is not a size/],
    ['json-file', { 'max-file': '3' }, /max-file needs max-size/],
    ['json-file', { 'max-size': '1m', 'max-file': '0' }, /max-file=0/],
    ['json-file', { compress: 'true' }, /compress needs max-size/],
    ['json-file', { compress: 'perhaps' }, /neither true nor false/],
    ['json-file', { mode: 'fast' }, /logging mode not supported/],
    ['json-file', { 'max-buffer-size': '1m' }, /only supported with mode=non-blocking/],
    ['json-file', { mode: 'non-blocking', 'max-buffer-size': '2g' }, /more than 1g/],
    ['json-file', { 'env-regex': '(a+)+' }, /groups cannot be repeated/],
    ['json-file', { tag: '{{.Node}}' }, /"{{.Node}}" is not one of the known fields/],
    ['json-file', { tag: '{{json .}}' }, /not one of the known fields/],
  ] as const)
    assert.throws(() => readLogOptions(driver, options), complaint)
})

test('non-blocking has a queue, of a mebibyte unless told otherwise', () => {
  assert.equal(readLogOptions('json-file', { mode: 'non-blocking' })?.queueBytes, 1024 * 1024)
  assert.equal(readLogOptions('local', { mode: 'non-blocking', 'max-buffer-size': '4m' })?.queueBytes, 4 * 1024 * 1024)
  assert.equal(readLogOptions('json-file', { mode: 'blocking' })?.queueBytes, null)
})

test('labels, variables and the tag are chosen by name and by pattern', () => {
  assert.equal(attributes({}), null)
  assert.deepEqual(attributes({ labels: 'tier,missing', env: 'PORT,EMPTY' }), { EMPTY: '', PORT: '80', tier: 'web' })
  assert.deepEqual(attributes({ 'labels-regex': '^com\\.', 'env-regex': '^PO' }), { PORT: '80', 'com.example.team': 'red' })
  assert.deepEqual(attributes({ tag: '{{.Name}}/{{ .ImageName }}-{{.ID}}' }), { tag: 'shop/shop:1-abc' })
})

test('more attributes than a line can carry are refused', () => {
  const policy = readLogOptions('json-file', { 'labels-regex': '.' }) ?? assert.fail()
  const labels = { big: 'x'.repeat(20_000) }
  assert.throws(
    () => chooseAttributes(policy.attributes, { ...FACTS, labels }),
    /choose \d+ bytes for each line; 16384 are allowed/,
  )
})

test('any options are a policy or a plain refusal', () => {
  const name = fc.constantFrom('max-size', 'max-file', 'compress', 'mode', 'max-buffer-size', 'labels', 'env-regex', 'tag')
  const value = fc.oneof(fc.string(), fc.constantFrom('1m', '3', 'true', 'non-blocking', '{{.Name}}', '-1', '[', '{{'))
  fc.assert(
    fc.property(fc.dictionary(name, value), fc.constantFrom('json-file', 'local', 'none'), (options, driver) => {
      try {
        readLogOptions(driver, options)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.kind === 'invalid')
      }
    }),
  )
})
