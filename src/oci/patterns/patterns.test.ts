import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { cleanPath, compileGlob, ignoreRules, insideRoot, parseIgnoreFile, selectContext } from './index.ts'

const MATCH: readonly (readonly [pattern: string, path: string, expected: boolean])[] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
  ['a*b*c*d*e*/f', 'axbxcxdxe/xxx/f', false],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[^c]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['a?b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[\\-x]', '-', true],
  ['*x', 'xxx', true],
]

test('a glob matches as filepath.Match does', () => {
  for (const [pattern, path, expected] of MATCH)
    assert.equal(compileGlob(pattern, { hasDoubleStar: false }).matches(path), expected, `${pattern} against ${path}`)
})

test('a malformed glob is refused with its reason', () => {
  for (const pattern of ['[]a]', '[-]', '[x-]', '[-x]', 'a[', '[^', '[^bc', 'a\\'])
    assert.throws(() => compileGlob(pattern, { hasDoubleStar: false }), { code: 'pattern.invalid' }, pattern)
})

const IGNORE: readonly (readonly [pattern: string, path: string, expected: boolean])[] = [
  ['**', 'file', true],
  ['**', 'dir/file', true],
  ['**/', 'dir/file', true],
  ['**/**', 'dir/file', true],
  ['dir/**', 'dir/file', true],
  ['dir/**', 'dir/dir2/file', true],
  ['dir/**', 'dir', false],
  ['**/dir', 'dir/file', true],
  ['**/dir', 'dir2/file', false],
  ['**/dir2/*', 'dir/dir2/file', true],
  ['**/dir2/*', 'dir/dir2/dir2/file', true],
  ['**file', 'file', true],
  ['**file', 'dir/file', true],
  ['**/file', 'dir/dir/file', true],
  ['**/file*', 'dir/dir/file.txt', true],
  ['**/file*txt', 'dir/dir/file.txt', true],
  ['**/**/*.txt', 'dir/dir/file.txt', true],
  ['a**/*.txt', 'a/dir/file.txt', true],
  ['a**/*.txt', 'a/file.txt', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'ab', false],
  ['.*', '.foo', true],
  ['.*', 'foo', false],
  ['abc.def', 'abcZdef', false],
  ['a.|)$(}+{bc', 'a.|)$(}+{bc', true],
  ['dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl', 'dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl', true],
  ['dir', 'dir/deep/file', true],
  ['dir/', 'dir/file', true],
  ['/dir', 'dir/file', true],
  ['./a/../dir', 'dir', true],
]

test('an ignore pattern takes ** and the directories above into account', () => {
  for (const [pattern, path, expected] of IGNORE)
    assert.equal(ignoreRules([pattern]).isIgnored(path), expected, `${pattern} against ${path}`)
})

test('the last ignore rule that matches decides', () => {
  const kept = selectContext(
    ['a', 'docs/a.md', 'docs/README.md', 'node_modules/x/y.js', 'src/main.ts', 'src/main.test.ts'],
    '\uFEFF# notes\n\n  docs  \n!docs/README.md\n**/node_modules\n**/*.test.ts\r\n#x\n',
  )
  assert.deepEqual(kept, ['a', 'docs/README.md', 'src/main.ts'])
  assert.deepEqual(selectContext(['a', 'b/c'], '*\n!b\n'), ['b/c'])
  assert.deepEqual(selectContext(['a', 'b'], '!a\n*\n'), [])
})

test('a directory can be skipped only when no exception could bring its files back', () => {
  assert.equal(ignoreRules(['dir']).canSkipDirectory('dir'), true)
  assert.equal(ignoreRules(['dir', '!dir/x']).canSkipDirectory('dir'), false)
})

test('an exception that names nothing is refused', () => {
  assert.throws(() => ignoreRules(['!']), { code: 'pattern.invalid' })
})

test('a pattern made to explode is matched in bounded time', () => {
  const started = process.cpuUsage()
  compileGlob(`${'*a'.repeat(60)}*b`, { hasDoubleStar: false }).matches('a'.repeat(255))
  ignoreRules([`${'**/'.repeat(500)}x`]).isIgnored(`${'a/'.repeat(500)}y`)
  assert.ok(process.cpuUsage(started).user < 2000_000)
})

test('a cleaned path never leaves its root', () => {
  assert.equal(cleanPath('a/./b//../c/'), 'a/c')
  assert.equal(cleanPath('../../a'), '../../a')
  assert.equal(cleanPath(''), '.')
  assert.equal(insideRoot('../../etc/passwd'), 'etc/passwd')
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('..', '.', 'a', '', 'b')),
      (parts) => !insideRoot(parts.join('/')).split('/').includes('..'),
    ),
  )
})

test('any text is an ignore file or a refusal', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('*', '?', '[', ']', '!', '/', 'a', '-', '^', '\\', '\n', '.') }), (text) => {
      try {
        ignoreRules(parseIgnoreFile(text)).isIgnored('a/b')
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code.startsWith('pattern.'), String(error))
      }
    }),
  )
})

test('literal paths select exactly themselves and what is below them', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 })
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
  fc.assert(
    fc.property(
      path,
      path,
      (rule, other) => ignoreRules([rule]).isIgnored(other) === (other === rule || other.startsWith(`${rule}/`)),
    ),
  )
})
