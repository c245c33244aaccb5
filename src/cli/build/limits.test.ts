import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { readAnnotation, readExtraHost, readSwap, readUlimit } from './limits.ts'

test('limits and hosts read as those of containers do', () => {
  assert.deepEqual(readUlimit('nofile=10:20'), { name: 'nofile', soft: 10, hard: 20 })
  assert.deepEqual(readUlimit('core=-1'), { name: 'core', soft: -1, hard: -1 })
  assert.equal(readExtraHost('db=10.0.0.1'), 'db:10.0.0.1')
  assert.equal(readExtraHost('db:[::1]'), 'db:::1')
  assert.deepEqual([readSwap('-1'), readSwap('1g')], [-1, 1024 ** 3])
  for (const wrong of [() => readUlimit('nofile'), () => readUlimit('nofile=x'), () => readExtraHost('db')])
    assert.throws(wrong, { code: 'cli.usage' })
})

test('an annotation says on what it is written; the manifest is meant where it does not', () => {
  const one = { level: 'manifest', platform: null, name: 'a.b', value: 'c:d=e' }
  assert.deepEqual(readAnnotation('a.b=c:d=e'), [one])
  assert.deepEqual(readAnnotation('index,manifest[linux/amd64]:a.b=c:d=e'), [
    { ...one, level: 'index' },
    { ...one, platform: 'linux/amd64' },
  ])
  for (const word of ['a', '=b', 'image:a=b', 'index[linux/amd64]:a=b'])
    assert.throws(() => readAnnotation(word), { code: 'cli.usage' }, word)
})

test('reading an annotation ends, with a value or an error of usage', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'manifest-index,:[]=/ab'), maxLength: 60 }), (word) => {
      try {
        for (const { name } of readAnnotation(word)) assert.notEqual(name, '')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === 'cli.usage')
      }
    }),
  )
})
