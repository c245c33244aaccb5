import assert from 'node:assert/strict'

import { parseSelector, readText, writeText } from '#observe/metrics'

import type { FuzzTarget } from './fuzz.ts'

const bytes = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text))
const BOUNDS = { maxSamples: 500 }

const expositions: FuzzTarget = {
  name: 'metrics of a program',
  seeds: bytes(
    '# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\nhttp_requests_total{method="post",code="200"} 1027 1395066363000\n',
    '# TYPE rpc_seconds summary\nrpc_seconds{quantile="0.5"} 4773\nrpc_seconds_sum 1.7560473e+07\nrpc_seconds_count 2693\n',
    '# TYPE d histogram\nd_bucket{le="0.05"} 24054\nd_bucket{le="+Inf"} 144320\nd_sum 53423\nd_count 144320\nnone NaN\nmany -Inf\n',
    '# TYPE a counter\n# UNIT a seconds\na_total{b="\\"\\\\\\n"} 1 # {trace_id="x"} 0.67 1.5\na_created 1.5\n# TYPE s stateset\ns{s="on"} 1\n# EOF\n',
  ),
  words: [
    '{',
    '}',
    '"',
    '\\',
    ',',
    '=',
    'le="',
    '# TYPE ',
    '# EOF\n',
    'NaN',
    '+Inf',
    '1e309',
    '__proto__',
    'constructor',
    '\u0000',
    ' '.repeat(300),
    '{a="'.repeat(50),
  ],
  codes: ['metrics.exposition_invalid'],
  run: (input) => {
    const families = readText(input.toString('utf8'), BOUNDS)
    // What is taken is what others read: it comes back.
    const again = readText(writeText(families, 'prometheus'), BOUNDS)
    const count = (all: typeof families) => all.reduce((sum, { samples }) => sum + samples.length, 0)
    assert.equal(count(again), count(families))
  },
}

const selectors: FuzzTarget = {
  name: 'selector of metrics',
  seeds: bytes('up', '{a="b"}', 'cpu_total{service="web",stack=~"a|b.*",task!~"x.+",c!="\\"\\n"}'),
  words: ['{', '}', '=~', '!~', '"', '\\', '.*', '|', '(', 'a="b",', '.*'.repeat(40)],
  codes: ['metrics.selector_invalid'],
  run: (input) => void parseSelector(input.toString('utf8')),
}

export const METRIC_TARGETS: readonly FuzzTarget[] = [expositions, selectors]
