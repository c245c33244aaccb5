import assert from 'node:assert/strict'
import { test } from 'node:test'

import { GloveboxError } from '#base'
import { tarError } from '#oci/tar'

import { fuzz, type FuzzTarget } from './fuzz.ts'
import { BUILD_TARGETS } from './targets-builds.ts'
import { COMPOSE_TARGETS } from './targets-compose.ts'
import { DOCUMENT_TARGETS } from './targets-documents.ts'
import { METRIC_TARGETS } from './targets-metrics.ts'
import { TAR_TARGETS } from './targets-tar.ts'
import { WIRE_TARGETS } from './targets-wire.ts'

/** Of each target. */
const INPUTS = Number(process.env['GLOVEBOX_FUZZ_INPUTS'] ?? 1500)
/** Another run with other inputs; the same seed gives the same. */
const SEED = Number(process.env['GLOVEBOX_FUZZ_SEED'] ?? 1)
const ONLY = process.env['GLOVEBOX_FUZZ_TARGET'] ?? ''
/** All targets of a run together; the engine's heap is some 40 MB before. */
const MAX_MEMORY_BYTES = 1024 ** 3

for (const target of [
  ...TAR_TARGETS,
  ...DOCUMENT_TARGETS,
  ...BUILD_TARGETS,
  ...COMPOSE_TARGETS,
  ...WIRE_TARGETS,
  ...METRIC_TARGETS,
].filter(({ name }) => name.includes(ONLY))) {
  test(`${target.name}: ${INPUTS} inputs are taken or refused as declared`, (t) => {
    const { accepted, refusals, slowestMs } = fuzz(target, { inputs: INPUTS, seed: SEED })
    t.diagnostic(`${accepted} of ${INPUTS} accepted, ${refusals.size} kinds of refusal, slowest ${slowestMs.toFixed(1)} ms`)
    assert.ok(accepted >= 1, 'what is well formed is accepted')
    assert.ok(process.memoryUsage.rss() < MAX_MEMORY_BYTES, `${process.memoryUsage.rss()} bytes`)
  })
}

/** The harness must find what it is there for. */
const planted = (run: FuzzTarget['run']): FuzzTarget => ({
  name: 'planted',
  seeds: [Buffer.from('abc')],
  words: ['!'],
  codes: ['tar.'],
  run,
})

test('a planted error that is not declared is found, with its input', () => {
  const target = planted((input) => {
    if (input.includes('!')) throw new RangeError('out of bounds')
  })
  assert.throws(
    () => fuzz(target, { inputs: 2000, seed: 1 }),
    /planted: RangeError: out of bounds for [A-Za-z0-9+/=]+ \(\d+ bytes\)/,
  )
})

test('a planted error of another module, an internal one and an endless message are found', () => {
  for (const error of [
    new GloveboxError('other.code', 'invalid', 'x'),
    new GloveboxError('tar.x', 'internal', 'x'),
    tarError('tar.limit', 'x'.repeat(10_000)),
  ]) {
    const target = planted((input) => {
      if (input.length > 5) throw error
    })
    assert.throws(() => fuzz(target, { inputs: 2000, seed: 1 }), /^Error: planted/)
  }
})

test('a planted input that takes too long is found', () => {
  const target = planted((input) => {
    if (!input.includes('!')) return
    for (const start = process.cpuUsage(); process.cpuUsage(start).user < 250_000;);
  })
  assert.throws(() => fuzz(target, { inputs: 2000, seed: 1 }), /planted: \d+(?:\.\d+)? ms for/)
})
