import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { expandBody, expandWord, expandWords, type EscapeCharacter } from './index.ts'

const VALUES: Readonly<Record<string, string>> = {
  x: 'value',
  empty: '',
  path: '/a/b/c.tar.gz',
  list: 'a b  c',
  star: 'a*c',
  quote: '"q"',
  _u1: 'u',
}

function expand(text: string, escape: EscapeCharacter = '\\'): string {
  return expandWord(text, { place: { file: 'Dockerfile', line: 7 }, escape, lookup: (name) => VALUES[name] })
}

const CASES: readonly (readonly [text: string, expected: string])[] = [
  ['plain text', 'plain text'],
  ['$x', 'value'],
  ['a${x}b', 'avalueb'],
  ['$xy', ''],
  ['$_u1', 'u'],
  ['$1a', 'a'],
  ['a$', 'a$'],
  ['$.', '$.'],
  ['\\$x', '$x'],
  ['\\${x}', '${x}'],
  ["'$x'", '$x'],
  ['"$x"', 'value'],
  ['"\\$x \\" \\a"', '$x " \\a'],
  ['a\\ b', 'a b'],
  ['end\\', 'end'],
  ['${x:-w}', 'value'],
  ['${no:-w}', 'w'],
  ['${empty:-w}', 'w'],
  ['${empty-w}', ''],
  ['${no-w}', 'w'],
  ['${no:-${x}}', 'value'],
  ['${no:-a"}"b}', 'a}b'],
  ['${no:-}', ''],
  ['${x:+w}', 'w'],
  ['${empty:+w}', ''],
  ['${empty+w}', 'w'],
  ['${no+w}', ''],
  ['${x:?bad}', 'value'],
  ['${empty?bad}', ''],
  ['${path#*/}', 'a/b/c.tar.gz'],
  ['${path##*/}', 'c.tar.gz'],
  ['${path%.*}', '/a/b/c.tar'],
  ['${path%%.*}', '/a/b/c'],
  ['${path#nothing}', '/a/b/c.tar.gz'],
  ['${path%?}', '/a/b/c.tar.g'],
  ['${star#a\\*}', 'c'],
  ['${path/a/X}', '/X/b/c.tar.gz'],
  ['${path//\\//-}', '-a-b-c.tar.gz'],
  ['${path//a/}', '//b/c.tr.gz'],
  ['${path/b*t/X}', '/a/Xar.gz'],
  ['${path//[/X}', '/a/b/c.tar.gz'],
  ['$quote', '"q"'],
]

test('words expand as the reference says', () => {
  for (const [text, expected] of CASES) assert.equal(expand(text), expected, text)
})

test('the backtick escapes when the directive says so', () => {
  assert.equal(expand('C:\\a`$x', '`'), 'C:\\a$x')
})

test('expansion happens before the split into words, quotes hold words together', () => {
  const words = (text: string) =>
    expandWords(text, { place: { file: 'D', line: 1 }, escape: '\\', lookup: (name) => VALUES[name] })
  assert.deepEqual(words('$list "x y" z\\ z'), ['a', 'b', 'c', 'x y', 'z z'])
  assert.deepEqual(words('"$list"'), ['a b  c'])
  assert.deepEqual(words('$no'), [])
})

test('in the body of a here-document quotes are text', () => {
  const body = (text: string) => expandBody(text, { place: { file: 'D', line: 1 }, escape: '\\', lookup: (name) => VALUES[name] })
  assert.equal(body('a "$x" \'${x}\' \\$x \\n \\\\ ${no:-"d"}\n'), 'a "value" \'value\' $x \\n \\ d\n')
})

test('variables without a value are reported', () => {
  const unset: string[] = []
  const place = { file: 'D', line: 1 }
  expandWord('$a ${b} ${c:-x} ${d:+x}', { place, escape: '\\', lookup: () => undefined, onUnset: (name) => unset.push(name) })
  assert.deepEqual(unset, ['a', 'b'])
})

test('a demanded variable that is missing is an error in the words of the author', () => {
  assert.throws(() => expand('${no:?tell me}'), { message: 'Dockerfile:7: no: tell me', code: 'dockerfile.expansion' })
  assert.throws(() => expand('${empty:?}'), { message: /not allowed to be empty/ })
})

test('broken substitutions are refused', () => {
  for (const text of [
    '${}',
    '${',
    '${x',
    '${x:',
    '${x:-a',
    '${:x}',
    '${{x}}',
    '${x^}',
    '${x:=a}',
    '"a',
    "'a",
    '${x/a}',
    '${x#\\a}',
  ])
    assert.throws(() => expand(text), { code: 'dockerfile.expansion', message: /^Dockerfile:7: / }, text)
})

test('bombs end with an error and not with the daemon', () => {
  const started = process.cpuUsage()
  const place = { file: 'D', line: 1 }
  assert.throws(() => expand('${a:-'.repeat(100_000)), { code: 'dockerfile.too_large' })
  let value = 'x'
  const grow = () => {
    for (let round = 0; round < 64; round += 1) value = expandWord('$v$v', { place, escape: '\\', lookup: () => value })
  }
  assert.throws(grow, { code: 'dockerfile.too_large' })
  const slow = () => expandWord(`\${v//${'*a'.repeat(50)}b/x}`, { place, escape: '\\', lookup: () => 'a'.repeat(20_000) })
  assert.throws(slow, { code: 'dockerfile.too_large' })
  assert.ok(process.cpuUsage(started).user < 5000_000)
})

test('any word expands or is refused', () => {
  const unit = fc.constantFrom('$', '{', '}', 'x', ':', '-', '+', '?', '#', '%', '/', '*', '"', "'", '\\', ' ', 'empty')
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      try {
        expand(text)
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code.startsWith('dockerfile.'), String(error))
      }
    }),
    { numRuns: 1000 },
  )
})

test('text without special characters expands to itself', () => {
  fc.assert(fc.property(fc.stringMatching(/^[\w ./:=-]*$/), (text) => expand(text) === text))
})
