import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { isKind, silentLog, virtualClock } from '#base'
import { labelText, type MetricFamily } from '#observe/metrics'

import { openHistory } from './history.ts'
import { SLOT_MS } from './tiers.ts'

const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2030, 0, 1)
const MAX_BYTES = 64 * 1024 * 1024

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-history-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'metrics.db')
}

/** A counter that grows by 2 a second, and a gauge that goes up and down within an hour. */
function families(atMs: number, services: readonly string[] = ['web', 'db']): readonly MetricFamily[] {
  const elapsedS = (atMs - START_MS) / 1000
  const of = (value: number) => services.map((service) => ({ suffix: '', labels: labelText({ service }), value }))
  return [
    { name: 'requests_total', type: 'counter', help: 'h', isKept: true, samples: of(elapsedS * 2) },
    { name: 'level', type: 'gauge', help: 'h', isKept: true, samples: of(elapsedS % 3600 < 1800 ? 10 : 30) },
    { name: 'passing', type: 'gauge', help: 'h', samples: of(1) },
  ]
}

function rig(path: string, startMs = START_MS, maxBytes = MAX_BYTES) {
  const clock = virtualClock(startMs)
  const history = openHistory({ path, maxBytes, clock, log: silentLog() })
  const run = async (forMs: number, of = families) => {
    for (const endMs = clock.nowMs() + forMs; clock.nowMs() < endMs;) {
      await clock.advance(SLOT_MS)
      history.append(clock.nowMs(), of(clock.nowMs()))
      if (clock.nowMs() % HOUR_MS === 0) for (let turn = 0; turn < 20; turn += 1) await nextTurn()
    }
  }
  return { clock, history, run }
}

test('rates, averages and highest values are right in each tier and over their borders', async (t) => {
  const { clock, history, run } = rig(scratch(t))
  await run(10 * HOUR_MS)
  const nowMs = clock.nowMs()
  const ask = async (selector: string, fn: 'rate' | 'avg' | 'max' | 'last', fromMs: number, stepS: number) =>
    (await history.range({ selector, fn, fromMs, toMs: nowMs, stepS })).series
  for (const stepS of [10, 60, 600]) {
    const [rate] = await ask('requests_total{service="web"}', 'rate', nowMs - 9 * HOUR_MS, stepS)
    assert.equal(rate?.values.length, (9 * 3600) / stepS + 1)
    const known = rate?.values.filter((value) => value !== null) ?? []
    // Where a tier is coarser than the steps, some steps know nothing.
    assert.ok(
      known.length >= (stepS >= 60 ? rate.values.length - 1 : 2160),
      `${known.length} of ${rate?.values.length} at ${stepS}`,
    )
    for (const value of known) assert.ok(Math.abs(value - 2) < 1e-6, `${value} at ${stepS}`)
  }
  const [highest] = await ask('level{service="db"}', 'max', nowMs - 8 * HOUR_MS, 3600)
  assert.deepEqual([...new Set(highest?.values)], [30])
  const [average] = await ask('level{service="db"}', 'avg', nowMs - 4 * HOUR_MS, 3600)
  for (const value of average?.values ?? []) assert.ok(Math.abs((value ?? 0) - 20) < 0.2, String(value))
  assert.equal((await ask('passing', 'last', nowMs - HOUR_MS, 60)).length, 0)
  const [sum] = (
    await history.range({ selector: 'requests_total', fn: 'rate', fromMs: nowMs - HOUR_MS, toMs: nowMs, stepS: 60, by: [] })
  ).series
  assert.ok(Math.abs((sum?.values.at(-1) ?? 0) - 4) < 1e-6)
  assert.deepEqual(sum?.labels, {})
  await history[Symbol.asyncDispose]()
})

test('a daemon that is killed loses at most the last minute, whatever was being put in order', async (t) => {
  const path = scratch(t)
  const { clock, history, run } = rig(path)
  await run(3 * HOUR_MS + 25 * SLOT_MS)
  // As a kill leaves it: the files as they are, and nothing said goodbye.
  const copy = `${path}.copy`
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix)
  await history[Symbol.asyncDispose]()
  const nowMs = clock.nowMs()
  const again = rig(copy, nowMs + 5000).history
  const { series } = await again.range({
    selector: 'requests_total{service="web"}',
    fn: 'last',
    fromMs: nowMs - 3 * HOUR_MS + 60_000,
    toMs: nowMs - 60_000,
    stepS: 10,
  })
  const values = series[0]?.values ?? []
  assert.equal(values.length, 3 * 360 - 11)
  assert.deepEqual(
    values,
    values.map((_, index) => ((nowMs - 3 * HOUR_MS + 60_000 + index * SLOT_MS - START_MS) / 1000) * 2),
  )
  await again[Symbol.asyncDispose]()
})

test('a counter that begins anew has no rate below zero, and a hole in time is a hole', async (t) => {
  const { clock, history, run } = rig(scratch(t))
  await run(10 * 60_000)
  await clock.advance(10 * 60_000)
  const restartMs = clock.nowMs()
  await run(10 * 60_000, (atMs) => families(atMs - restartMs + START_MS))
  const { series } = await history.range({
    selector: 'requests_total{service=~"w.*"}',
    fn: 'rate',
    fromMs: START_MS + 60_000,
    toMs: clock.nowMs(),
    stepS: 60,
  })
  const values = series[0]?.values ?? []
  assert.ok(
    values.every((value) => value === null || (value >= 0 && value <= 2.001)),
    JSON.stringify(values),
  )
  assert.equal(values.filter((value) => value === null).length >= 8, true)
  await history[Symbol.asyncDispose]()
})

test('a file that is no database is put aside, and a query that is none is refused', async (t) => {
  const path = scratch(t)
  writeFileSync(path, 'no database at all, and long enough to be looked at as one'.repeat(40))
  const { history, run, clock } = rig(path)
  assert.ok(existsSync(`${path}.aside`))
  await run(60_000)
  const whole = { fromMs: START_MS, toMs: clock.nowMs(), stepS: 60 }
  for (const bad of ['', 'a b', 'x{y}', 'x{y=~"(a+)+"}', '{}'])
    await assert.rejects(history.range({ selector: bad, fn: 'last', ...whole }), (error) => isKind(error, 'invalid'), bad)
  await assert.rejects(history.range({ selector: 'level', fn: 'rate', ...whole }), /no rate/)
  await assert.rejects(
    history.range({ selector: 'level', fn: 'last', fromMs: 0, toMs: clock.nowMs(), stepS: 10 }),
    /steps are more/,
  )
  await assert.rejects(history.range({ selector: 'level', fn: 'last', fromMs: 2, toMs: 1, stepS: 10 }), /no time/)
  assert.deepEqual(
    history.series('level{service="web"}').map(({ labels }) => labels),
    [{ service: 'web' }],
  )
  await history[Symbol.asyncDispose]()
})

test('the file stays below its bound by keeping less of the past', async (t) => {
  const many = Array.from({ length: 80 }, (_, index) => `s${index}`)
  let seed = 1
  const noise = (atMs: number): readonly MetricFamily[] => [
    {
      name: 'noise',
      type: 'gauge',
      help: 'h',
      isKept: true,
      samples: many.map((service) => {
        seed = (seed * 48_271) % 2_147_483_647
        return { suffix: '', labels: labelText({ service }), value: atMs * 0 + seed / 7 }
      }),
    },
  ]
  const maxBytes = 1024 * 1024
  const { history, run } = rig(scratch(t), START_MS, maxBytes)
  await run(6 * HOUR_MS, noise)
  assert.ok(history.facts().usedBytes < maxBytes * 1.5, String(history.facts().usedBytes))
  assert.equal(history.facts().series, 80)
  await history[Symbol.asyncDispose]()
})
