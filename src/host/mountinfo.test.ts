import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isAtOrBelow, parseMountinfo } from './mountinfo.ts'

test('a line of the manual page is read in all its fields', () => {
  const line = '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue'
  assert.deepEqual(parseMountinfo(`${line}\n`), [
    {
      id: 36,
      parentId: 35,
      device: '98:0',
      root: '/mnt1',
      target: '/mnt 2',
      options: ['rw', 'noatime'],
      propagation: ['master:1', 'shared:7'],
      type: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    },
  ])
})

test('any target comes back as it was', () => {
  const path = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\n', '\\', '#', '-', '/', '0') }).map((text) => `/${text}`)
  const escape = (text: string) => text.replace(/[ \t\n\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
  fc.assert(
    fc.property(path, (target) => {
      const [entry] = parseMountinfo(`1 2 0:1 / ${escape(target)} rw - tmpfs none rw`)
      assert.equal(entry?.target, target)
    }),
  )
})

test('no text makes the parser throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseMountinfo(text)))
})

test('below means below a directory, not beginning with the same letters', () => {
  assert.ok(isAtOrBelow('/a/b', '/a'))
  assert.ok(isAtOrBelow('/a', '/a/'))
  assert.ok(isAtOrBelow('/a', '/'))
  assert.ok(!isAtOrBelow('/ab', '/a'))
})
