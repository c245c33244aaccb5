import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { detachWatch, parseDetachKeys } from './detach-keys.ts'

test('keys are read as a terminal sends them', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-p,ctrl-q,x,ctrl-@')], [16, 17, 120, 0])
  assert.throws(() => parseDetachKeys('ctrl-'), /detach-keys/)
})

test('the keys detach wherever they are cut, and everything before them passes', () => {
  const byte = fc.constantFrom(97, 98, 99)
  fc.assert(
    fc.property(fc.array(byte, { minLength: 1, maxLength: 4 }), fc.array(fc.array(byte)), (keyBytes, chunks) => {
      const keys = Buffer.from(keyBytes)
      const typed = Buffer.from(chunks.flat())
      const watch = detachWatch(keys)
      let passed = Buffer.alloc(0)
      let isDetached = false
      for (const chunk of chunks) {
        const step = watch(Buffer.from(chunk))
        passed = Buffer.concat([passed, step.pass])
        if (step.isDetached) {
          isDetached = true
          break
        }
      }
      const at = typed.indexOf(keys)
      assert.equal(isDetached, at !== -1)
      if (at !== -1) assert.deepEqual(passed, typed.subarray(0, at))
      else {
        assert.deepEqual(passed, typed.subarray(0, passed.length))
        assert.ok(typed.length - passed.length < keys.length)
      }
    }),
  )
})
