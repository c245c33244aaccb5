import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { meansContent, meansDirectory, readPlace } from './place.ts'

test('a place is a container, a local path or a stream', () => {
  assert.deepEqual(readPlace('web:/etc/x'), { kind: 'container', container: 'web', path: '/etc/x' })
  assert.deepEqual(readPlace('web:a:b'), { kind: 'container', container: 'web', path: 'a:b' })
  assert.deepEqual(readPlace('./web:x'), { kind: 'local', path: './web:x' })
  assert.deepEqual(readPlace('/a:b'), { kind: 'local', path: '/a:b' })
  assert.deepEqual(readPlace('-'), { kind: 'stream' })
})

test('the end of a path says whether the directory or what is in it is meant', () => {
  assert.deepEqual(['a/', 'a/.', '.', 'a/..', 'a', 'a.'].map(meansDirectory), [true, true, true, true, false, false])
  assert.deepEqual(['a/', 'a/.', '.', 'a'].map(meansContent), [false, true, true, false])
})

test('whoever means the content means a directory', () => {
  fc.assert(fc.property(fc.string(), (path) => !meansContent(path) || meansDirectory(path)))
})
