import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'

import { histogramSamples } from './instruments.ts'
import { labelsOf, labelText } from './labels.ts'
import type { MetricFamily } from './model.ts'
import { readText } from './read-text.ts'
import { formatFor, writeText } from './write-text.ts'

const BOUNDS = { maxSamples: 1000 }
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
const labels = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/), fc.string({ unit: 'grapheme', maxLength: 12 }), {
  maxKeys: 4,
})
const value = fc
  .oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, -Infinity))
  .map((number) => (number === 0 ? 0 : number))

const families = fc
  .uniqueArray(
    fc.record({
      name,
      type: fc.constantFrom('gauge' as const, 'counter' as const, 'untyped' as const),
      help: fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.trim().replaceAll(/\s+/g, ' ')),
      sets: fc.uniqueArray(fc.tuple(labels, value), { minLength: 1, maxLength: 4, selector: ([set]) => labelText(set) }),
    }),
    { selector: (family) => family.name, maxLength: 5 },
  )
  .map((all) =>
    all.map((family): MetricFamily => {
      // Names end as their types do, so that no family is within another.
      const named = `${family.name}_${family.type === 'counter' ? 'x_total' : 'x'}`
      const samples = family.sets.map(([set, one]) => ({ suffix: '', labels: labelText(set), value: one }))
      return { name: named, type: family.type, help: family.help, samples }
    }),
  )

test('what is written in either format reads back as it was', () => {
  fc.assert(
    fc.property(families, fc.constantFrom('prometheus' as const, 'openmetrics' as const), (all, format) => {
      const distinct = [...new Map(all.map((family) => [family.name, family])).values()]
      const read = readText(writeText(distinct, format), BOUNDS)
      const told = ({ name: of, type, samples }: MetricFamily) => [
        of,
        type,
        samples.map((sample) => [sample.labels, sample.value]),
      ]
      assert.deepEqual(read.map(told), distinct.map(told))
    }),
  )
})

test('labels with any characters in them come back', () => {
  fc.assert(
    fc.property(labels, (set) =>
      assert.deepEqual(
        labelsOf(labelText(set)),
        Object.fromEntries(Object.entries(set).map(([key, text]) => [key, text.toWellFormed()])),
      ),
    ),
  )
})

test('a histogram is one family with its buckets, sum and count', () => {
  const samples = histogramSamples('route="a"', { bounds: [0.1, 1], counts: [2, 1], sum: 3.5, count: 4 })
  const text = writeText([{ name: 'latency_seconds', type: 'histogram', help: 'How long.', samples }], 'prometheus')
  assert.equal(
    text,
    [
      '# HELP latency_seconds How long.',
      '# TYPE latency_seconds histogram',
      'latency_seconds_bucket{route="a",le="0.1"} 2',
      'latency_seconds_bucket{route="a",le="1"} 3',
      'latency_seconds_bucket{route="a",le="+Inf"} 4',
      'latency_seconds_sum{route="a"} 3.5',
      'latency_seconds_count{route="a"} 4',
      '',
    ].join('\n'),
  )
  const [family, ...others] = readText(text, BOUNDS)
  assert.deepEqual([others, family?.type, family?.samples], [[], 'histogram', samples])
})

test('OpenMetrics names a counter without its suffix, and what it calls otherwise is translated', () => {
  const counter: MetricFamily = { name: 'a_total', type: 'counter', help: 'h', samples: [{ suffix: '', labels: '', value: 1 }] }
  assert.match(writeText([counter], 'openmetrics'), /^# HELP a h\n# TYPE a counter\na_total 1\n# EOF\n$/)
  const text =
    '# TYPE b unknown\nb 1\n# TYPE c info\nc_info{v="1"} 1\n# TYPE d counter\nd_total 3 # {trace="x"} 0.5 1.5\nd_created 5\n# EOF\n'
  assert.deepEqual(
    readText(text, BOUNDS).map(({ name: of, type }) => [of, type]),
    [
      ['b', 'untyped'],
      ['c_info', 'gauge'],
      ['d_total', 'counter'],
    ],
  )
})

test('each thing that is wrong with a text is refused with its line', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['a 1\nb x\n', /line 2: "x" is no number/],
    ['a{b="c} 1\n', /line 1: a label does not end/],
    ['a{b="c"', /neither a comma nor the end/],
    ['a{b="c" d="e"} 1\n', /neither a comma nor the end/],
    ['a{b=c} 1\n', /no value in quotes/],
    ['a{b="\\q"} 1\n', /stands for nothing/],
    ['a{__name__="b"} 1\n', /not for others to set/],
    ['a{b="1",b="2"} 1\n', /there twice/],
    ['a{b="1",c="2"} 1\na{c="2",b="1"} 2\n', /line 2: .* is there twice/],
    ['{"a.b"} 1\n', /no name of a metric/],
    ['a\n', /there is no value/],
    ['a 1 soon\n', /is no time/],
    ['# TYPE a counter\n# TYPE a gauge\n', /line 2: the type of a is there twice/],
    ['# TYPE a thing\n', /is no type/],
    ['a 1\n# EOF\nb 1\n', /line 3: there is something behind # EOF/],
    [`a{${Array.from({ length: 65 }, (_, index) => `l${index}="x"`).join(',')}} 1\n`, /more than 64 labels/],
    [`a{b="${'x'.repeat(5000)}"} 1\n`, /longer than 4096/],
    [Array.from({ length: 1001 }, (_, index) => `a{n="${index}"} 1`).join('\n'), /more than 1000 samples/],
  ]
  for (const [text, reason] of cases) assert.throws(() => readText(text, BOUNDS), reason, text.slice(0, 60))
})

test('a hostile text is refused with an error of ours, or read', () => {
  const pieces = fc.array(
    fc.constantFrom(
      '# TYPE a histogram\n',
      '# HELP a b\n',
      'a',
      '_bucket',
      '{',
      '}',
      'le="1"',
      ',',
      '"',
      '\\',
      ' ',
      '1',
      'NaN',
      '\n',
      '# EOF',
      '\t',
      'é',
      '\u0000',
    ),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        pieces.map((parts) => parts.join('')),
        fc.string(),
      ),
      (text) => {
        try {
          const read = readText(text, BOUNDS)
          assert.deepEqual(readText(writeText(read, 'prometheus'), BOUNDS).length, read.length)
        } catch (error) {
          assert.ok(isKind(error, 'invalid'), String(error))
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('whoever wants OpenMetrics says so', () => {
  assert.equal(formatFor(undefined), 'prometheus')
  assert.equal(formatFor('*/*'), 'prometheus')
  assert.equal(formatFor('text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0'), 'openmetrics')
  assert.equal(formatFor('application/openmetrics-text;q=0.2,text/plain;q=0.5'), 'prometheus')
})
