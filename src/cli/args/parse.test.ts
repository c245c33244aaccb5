import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'
import { GloveboxError, nearest } from '#base'

import { bytes, choice, duration, isSet, list, number, text } from './flags.ts'
import { parseArguments } from './parse.ts'

const flags = {
  interactive: isSet('', 'i'),
  tty: isSet('', 't'),
  publish: list('PORT', '', 'p'),
  name: text('NAME', ''),
  memory: bytes('', 'm'),
  timeout: duration(''),
  tail: number('N', ''),
  format: choice(['table', 'json'], ''),
}
const syntax = { flags, stopsAtOperand: false, command: 'glovebox try' }
const parse = (...words: string[]) => parseArguments(syntax, words)

test('flags come in every usual spelling', () => {
  const { flags: got, operands } = parse('-it', '-p8080:80', '-p', '9:9', '--publish=1:1', '--name', 'web', '-m', '64m', 'image')
  assert.deepEqual([got.interactive, got.tty, got.name, got.memory], [true, true, 'web', 64 * 1024 * 1024])
  assert.deepEqual(got.publish, ['8080:80', '9:9', '1:1'])
  assert.deepEqual(operands, ['image'])
})

test('what follows the first operand belongs to the container where the command says so', () => {
  const { flags: got, operands } = parseArguments({ ...syntax, stopsAtOperand: true }, ['-i', 'image', 'ls', '-t', '--', 'x'])
  assert.equal(got.tty, false)
  assert.deepEqual(operands, ['image', 'ls', '-t', '--', 'x'])
})

test('two dashes end the flags', () => {
  assert.deepEqual(parse('--tty', '--', '--name').operands, ['--name'])
})

test('durations are milliseconds and a bare number is seconds', () => {
  assert.equal(parse('--timeout', '1m30s').flags.timeout, 90_000)
  assert.equal(parse('--timeout=10').flags.timeout, 10_000)
})

const refusals: readonly (readonly [string, readonly string[], RegExp, RegExp])[] = [
  ['an unknown flag names the nearest', ['--nmae', 'x'], /unknown flag --nmae/, /--name/],
  ['a flag without its value', ['--name'], /--name needs a value/, /--help/],
  ['a size that is none', ['-m', 'lots'], /"lots" is not a size/, /./],
  ['a choice outside the list', ['--format', 'xml'], /"xml" is none of table, json/, /./],
  ['a number that is none', ['--tail', 'ten'], /"ten" is not a number/, /./],
  ['a boolean with a strange value', ['--tty=maybe'], /neither true nor false/, /./],
  ['a flag named as an object property', ['--constructor'], /unknown flag --constructor/, /./],
]
for (const [title, words, message, hint] of refusals)
  test(`refuses ${title}`, () => {
    assert.throws(
      () => parse(...words),
      (error) => {
        assert.ok(error instanceof GloveboxError)
        assert.equal(error.code, 'cli.usage')
        assert.match(error.message, message)
        assert.match(error.hint ?? '', hint)
        return true
      },
    )
  })

test('any words either parse or are refused as usage', () => {
  const word = fc.oneof(fc.constantFrom('-i', '-it', '--name', '-p', '--', '-', '--memory=1k', '--tail'), fc.string())
  fc.assert(
    fc.property(fc.array(word), (words) => {
      try {
        const { operands } = parseArguments(syntax, words)
        assert.ok(operands.every((operand) => words.includes(operand)))
      } catch (error) {
        assert.ok(error instanceof GloveboxError && error.code === 'cli.usage', String(error))
      }
    }),
  )
})

test('values written for flags come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (ports, name) => {
      const words = [...ports.flatMap((port) => ['--publish', port]), `--name=${name}`]
      const { flags: got } = parse(...words)
      assert.deepEqual([got.publish, got.name], [ports, name])
    }),
  )
})

test('the nearest word is found over one slip, and none is found for another word', () => {
  const known = ['publish', 'privileged', 'name', 'ps', 'up']
  assert.equal(nearest('pubilsh', known), 'publish')
  assert.equal(nearest('priv', known), 'privileged')
  assert.equal(nearest('sp', known), 'ps')
  assert.equal(nearest('banana', known), undefined)
})
