import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { commandWords } from './command-words.ts'
import { parseEnvFile } from './env-file.ts'
import { interpolate, type Lookup } from './interpolate.ts'

const VALUES: Readonly<Record<string, string>> = { A: 'a', EMPTY: '' }
const lookup: Lookup = (name) => VALUES[name]

/** A text with expressions, and what it is to become. */
interface Word {
  readonly text: string
  readonly value: string
}

const { word } = fc.letrec<{ word: Word; part: Word }>((tie) => ({
  word: fc.array(tie('part'), { maxLength: 3 }).map((parts) => ({
    text: parts.map(({ text }) => text).join(''),
    value: parts.map(({ value }) => value).join(''),
  })),
  part: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: fc.constantFrom('x', ' ', '-', ':', '.', '/') }).map((text) => ({ text, value: text })),
    fc.constant({ text: '$$', value: '$' }),
    fc.constant({ text: '${A}', value: 'a' }),
    fc
      .tuple(fc.constantFrom('A', 'EMPTY', 'NONE'), fc.constantFrom(':-', '-', ':+', '+'), tie('word'))
      .map(([name, operator, inner]) => {
        const known = VALUES[name]
        const isGiven = known !== undefined && (!operator.startsWith(':') || known !== '')
        const [given, otherwise] = operator.endsWith('+') ? [inner.value, ''] : [known ?? '', inner.value]
        return { text: `\${${name}${operator}${inner.text}}`, value: isGiven ? given : otherwise }
      }),
  ),
}))

describe('interpolation', () => {
  it('knows every form of the specification', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['$A-${A}!', 'a-a!'],
      ['$$A ${A}$$', '$A a$'],
      ['$NONE|${NONE}', '|'],
      ['${NONE:-x} ${EMPTY:-x} ${A:-x}', 'x x a'],
      ['${NONE-x} ${EMPTY-x} ${A-x}', 'x  a'],
      ['${NONE:+x} ${EMPTY:+x} ${A:+x}', '  x'],
      ['${NONE+x} ${EMPTY+x} ${A+x}', ' x x'],
      ['${A:?no} ${EMPTY?no}', 'a '],
      ['${NONE:-${EMPTY:-$A}}', 'a'],
      ['${NONE:-{"k": "v"}', '{"k": "v"'],
    ]
    for (const [text, expected] of cases) assert.equal(interpolate(text, lookup).text, expected, text)
    assert.deepEqual(interpolate('$NONE ${ALSO}', lookup).unset, ['NONE', 'ALSO'])
  })

  it('says what is missing or broken', () => {
    assert.deepEqual(interpolate('${NONE:?set it}', lookup).errors, ['required variable NONE is missing a value: set it'])
    assert.deepEqual(interpolate('${EMPTY:?}', lookup).errors, ['required variable EMPTY is missing a value: it is empty'])
    for (const text of ['$', '${', '${}', '${A', '${A!x}', '$1', '${-x}'])
      assert.equal(interpolate(text, lookup).errors.length, 1, text)
  })

  it('leaves text without a dollar alone, and text with doubled ones as it was', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const result = interpolate(text.replaceAll('$', '$$$$'), lookup)
        assert.deepEqual(result, { text, unset: [], errors: [] })
      }),
    )
  })

  it('is what the shell makes of the same, however deep it is nested', () => {
    fc.assert(
      fc.property(word, ({ text, value }) => {
        assert.deepEqual(interpolate(text, lookup), { text: value, unset: [], errors: [] })
      }),
    )
  })

  it('ends on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', '?', '+', ' ') }),
        (text) => void interpolate(text, lookup),
      ),
    )
  })
})

describe('env files', () => {
  it('know comments, quotes, export, and variables', () => {
    const text = `# said\nONE=1 # one\nexport TWO='$ONE # two'\nTHREE="\${ONE}\\n\\$x"\nFOUR=\${A}-$ONE\nFIVE: five\nA\nLONG="x\ny"\nEMPTY_ONE=\n`
    const { values, errors } = parseEnvFile(text, lookup)
    assert.deepEqual(errors, [])
    assert.deepEqual(values, {
      ONE: '1',
      TWO: '$ONE # two',
      THREE: '1\n$x',
      FOUR: 'a-1',
      FIVE: 'five',
      A: 'a',
      LONG: 'x\ny',
      EMPTY_ONE: '',
    })
  })

  it('name the lines that are wrong', () => {
    assert.deepEqual(parseEnvFile('ok=1\nnot this\nX="open', lookup).errors, [
      'line 2: "not this" is not NAME=value',
      'line 3: the quote is never closed',
    ])
  })

  it('end on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('A', '=', '"', "'", '\\', '\n', '#', ' ', '$') }),
        (text) => void parseEnvFile(text, lookup),
      ),
    )
  })
})

describe('the words of a command', () => {
  it('are those of a shell', () => {
    assert.deepEqual(commandWords(`node "a b" 'c "d' e\\ f "" g"h"i "\\n\\""`), ['node', 'a b', 'c "d', 'e f', '', 'ghi', '\\n"'])
    assert.equal(commandWords('echo "open'), undefined)
  })

  it('come back from quoted text', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const text = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
        assert.deepEqual(commandWords(text), words)
      }),
    )
  })
})
