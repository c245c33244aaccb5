import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { checkMemoryFiles, MAX_MEMORY_FILE_BYTES, MAX_MEMORY_FILES } from './memory-file-plan.ts'

const GOOD = { target: '/run/secrets/key', uid: 0, gid: 0, mode: 0o444, content: Buffer.from('value') }
const refusal = { code: 'container.memory_file_invalid' }

test('what could not be mounted or would hide something else is refused by name', () => {
  checkMemoryFiles([GOOD, { ...GOOD, target: '/run/secrets/other' }], [{ target: '/run' }])
  const bad = [
    ...['relative', '/', '', '/a/', '/a\0b', '/a/../..'].map((target) => ({ ...GOOD, target })),
    { ...GOOD, uid: -1 },
    { ...GOOD, gid: 1.5 },
    { ...GOOD, uid: 2 ** 32 - 1 },
    { ...GOOD, mode: 0o4755 },
    { ...GOOD, content: Buffer.alloc(MAX_MEMORY_FILE_BYTES + 1) },
  ]
  for (const file of bad) assert.throws(() => checkMemoryFiles([file], []), refusal, JSON.stringify(file.target))
  assert.throws(() => checkMemoryFiles([GOOD, { ...GOOD, target: '/run//secrets/./key' }], []), refusal)
  assert.throws(() => checkMemoryFiles([GOOD], [{ target: '/run/secrets/key/' }]), refusal)
  const many = Array.from({ length: MAX_MEMORY_FILES + 1 }, (_, n) => ({ ...GOOD, target: `/f/${n}` }))
  assert.throws(() => checkMemoryFiles(many, []), refusal)
})

test('safety: what passes has a place of its own that no other mount has', () => {
  const part = fc.constantFrom('a', 'b', '.', '..', '')
  const path = fc.tuple(fc.constantFrom('', '/'), fc.array(part, { maxLength: 4 })).map(([root, parts]) => root + parts.join('/'))
  fc.assert(
    fc.property(fc.array(path, { maxLength: 4 }), fc.array(path, { maxLength: 2 }), (targets, mounts) => {
      try {
        checkMemoryFiles(
          targets.map((target) => ({ ...GOOD, target })),
          mounts.map((target) => ({ target })),
        )
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === refusal.code)
        return
      }
      const places = targets.map((target) => posix.normalize(target))
      assert.equal(new Set(places).size, places.length)
      for (const place of places) assert.ok(place.startsWith('/') && place !== '/' && !mounts.includes(place))
    }),
  )
})
