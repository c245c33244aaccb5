import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'

import { labelText } from './labels.ts'
import { parseSelector, selects } from './selector.ts'

const matches = (selector: string, name: string, labels: Readonly<Record<string, string>> = {}) =>
  selects(parseSelector(selector))(name, labels)

test('a selector names series by metric and labels', () => {
  assert.ok(matches('up', 'up', { a: 'b' }))
  assert.ok(!matches('up', 'down'))
  assert.ok(matches('{service="web"}', 'anything', { service: 'web' }))
  assert.ok(matches('up{a="b", c!="d",}', 'up', { a: 'b' }))
  assert.ok(!matches('up{a=""}', 'up', { a: 'b' }))
  assert.ok(matches('up{a="\\"\\n\\\\"}', 'up', { a: '"\n\\' }))
})

test('patterns are words, | and .*', () => {
  for (const [pattern, text, isThere] of [
    ['web|db', 'db', true],
    ['web|db', 'dbs', false],
    ['.*', '', true],
    ['.+', '', false],
    ['w.*b', 'wb', true],
    ['w.*b', 'wbx', false],
    ['a.*b.*c', 'aXbYbZc', true],
    ['a.+b', 'ab', false],
    ['a\\.b', 'a.b', true],
    ['a\\.b', 'axb', false],
    ['ab.*ba', 'aba', false],
  ] as const) {
    assert.equal(matches(`{x=~${JSON.stringify(pattern)}}`, 'n', { x: text }), isThere, `${pattern} ${text}`)
    assert.equal(matches(`{x!~${JSON.stringify(pattern)}}`, 'n', { x: text }), !isThere, `${pattern} ${text}`)
  }
})

test('a label set as it is written selects exactly itself', () => {
  const set = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), {
    minKeys: 1,
    maxKeys: 4,
  })
  fc.assert(
    fc.property(set, set, (one, other) => {
      const test = selects(parseSelector(`n{${labelText(one)}}`))
      const wellFormed = Object.fromEntries(Object.entries(one).map(([key, text]) => [key, text.toWellFormed()]))
      assert.ok(test('n', wellFormed))
      if (test('n', other)) for (const [key, text] of Object.entries(wellFormed)) assert.equal(other[key], text)
    }),
  )
})

test('what is no selector is refused as such', () => {
  for (const text of [
    '',
    '{}',
    'a b',
    '1a',
    'a{',
    'a{b}',
    'a{b=c}',
    'a{b="c}',
    'a{b="c"}x',
    'a{b=~"("}',
    'a{b=~"x{1,9}"}',
    `a{b="${'x'.repeat(3000)}"}`,
  ])
    assert.throws(
      () => parseSelector(text),
      (error) => isKind(error, 'invalid'),
      text.slice(0, 40),
    )
  fc.assert(
    fc.property(fc.string({ maxLength: 50 }), (text) => {
      try {
        parseSelector(text)
      } catch (error) {
        assert.ok(isKind(error, 'invalid'))
      }
    }),
  )
})
