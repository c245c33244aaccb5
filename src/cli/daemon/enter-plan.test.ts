import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { namespacePin, pinnedToEach, pinPlan, pinState, unpinPlan } from './enter-plan.ts'

const pin = namespacePin('/run/glovebox')

test('a pin is found in mountinfo, spaces and all', () => {
  const spaced = namespacePin('/tmp/my run')
  const info = '30 1 8:1 / / rw - ext4 /dev/vda rw\n90 30 8:1 /tmp/my /tmp/my\\040run/ns rw - ext4 /dev/vda rw\n'
  assert.deepEqual(pinState(info, spaced), { isDirectoryMounted: true, isPinned: false })
  assert.deepEqual(pinState(info, pin), { isDirectoryMounted: false, isPinned: false })
})

test('a pinned namespace is used as it is', () => {
  assert.deepEqual(pinPlan(pin, { isDirectoryMounted: true, isPinned: true }), [])
})

test('whatever was there, the plan ends with a private directory and a pin, and its opposite takes both away', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.boolean(), (isDirectoryMounted, hadPin) => {
      const state = { isDirectoryMounted, isPinned: isDirectoryMounted && hadPin }
      const words = pinPlan(pin, state).map((call) => [call.program, call.args[0]].join(' '))
      if (!state.isPinned) assert.deepEqual(words.slice(-2), ['mount --make-private', `unshare --mount=${pin.file}`])
      assert.equal(words.includes('mount --bind'), !isDirectoryMounted)
      const after = { isDirectoryMounted: true, isPinned: true }
      assert.deepEqual(
        unpinPlan(pin, after).map((call) => call.args[0]),
        [pin.file, pin.directory],
      )
    }),
  )
})

test('a call is tried on each processor', () => {
  assert.deepEqual(
    pinnedToEach(2, { program: 'unshare', args: ['true'] }).map(({ program, args }) => [program, ...args].join(' ')),
    ['taskset --cpu-list 0 unshare true', 'taskset --cpu-list 1 unshare true'],
  )
})
