import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLog, virtualClock } from '#base'

import { MAX_LABEL_SETS } from './instruments.ts'
import { labelText } from './labels.ts'
import { createRegistry, MAX_SERIES, type Reading } from './registry.ts'

function rig() {
  const clock = virtualClock()
  return { clock, registry: createRegistry({ clock, log: silentLog() }) }
}

const valueOf = ({ families }: Reading, name: string, labels = '') =>
  families.find((family) => family.name === name)?.samples.find((sample) => sample.labels === labels)?.value

test('what is counted and what is looked up are read together', async () => {
  const { registry } = rig()
  const requests = registry.counter({ name: 'requests_total', help: 'h', labels: ['status'], isKept: true })
  const time = registry.histogram({ name: 'time_seconds', help: 'h', labels: [] }, [0.1, 1])
  registry.source({
    name: 'one',
    read: () => [{ name: 'level', type: 'gauge', help: 'h', samples: [{ suffix: '', labels: '', value: 7 }] }],
  })
  registry.source({ name: 'broken', read: () => Promise.reject(new Error('no')) })
  requests.add(['200'])
  requests.add(['200'], 2)
  time.observe([], 0.05)
  time.observe([], 0.1)
  time.observe([], 5)
  const reading = await registry.read('all', 0)
  assert.equal(valueOf(reading, 'requests_total', 'status="200"'), 3)
  assert.equal(valueOf(reading, 'level'), 7)
  const buckets = reading.families.find(({ name }) => name === 'time_seconds')?.samples.map(({ value }) => value)
  assert.deepEqual(buckets, [2, 2, 3, 5.15, 3])
  assert.equal(valueOf(reading, 'glovebox_metrics_source_up', 'source="one"'), 1)
  assert.equal(valueOf(reading, 'glovebox_metrics_source_up', 'source="broken"'), 0)
  assert.deepEqual(
    (await registry.read('history', 0)).families.map(({ name }) => name),
    ['requests_total'],
  )
})

test('who asks again within the time gets the same, and what is dear is looked up seldom', async () => {
  const { clock, registry } = rig()
  let cheap = 0
  let dear = 0
  registry.source({ name: 'cheap', read: () => ((cheap += 1), []) })
  registry.source({ name: 'dear', everyMs: 30_000, read: () => ((dear += 1), []) })
  const [first, second] = await Promise.all([registry.read('all', 1000), registry.read('all', 1000)])
  assert.equal(first, second)
  await clock.advance(1001)
  await registry.read('all', 1000)
  assert.deepEqual([cheap, dear], [2, 1])
  await clock.advance(30_000)
  await registry.read('all', 1000)
  assert.deepEqual([cheap, dear], [3, 2])
})

test('label sets and series are bounded, and a metric says what was left out', async () => {
  const { registry } = rig()
  const counted = registry.counter({ name: 'a_total', help: 'h', labels: ['id'] })
  for (let id = 0; id < MAX_LABEL_SETS + 5; id += 1) counted.add([String(id)])
  const samples = Array.from({ length: MAX_SERIES }, (_, index) => ({
    suffix: '',
    labels: labelText({ index: String(index) }),
    value: 1,
  }))
  registry.source({ name: 'many', read: () => [{ name: 'b', type: 'gauge', help: 'h', samples }] })
  const reading = await registry.read('all', 0)
  assert.equal(valueOf(reading, 'glovebox_metrics_label_sets_refused_total'), 5)
  assert.equal(valueOf(reading, 'glovebox_metrics_series'), MAX_SERIES)
  assert.equal(valueOf(reading, 'glovebox_metrics_series_left_out'), MAX_LABEL_SETS)
})

test('a declaration that Prometheus would not read is found when it is made', () => {
  const { registry } = rig()
  for (const spec of [
    { name: 'a b_total', help: 'h', labels: [] },
    { name: 'a', help: 'h', labels: [] },
    { name: 'a_total', help: '', labels: [] },
    { name: 'a_total', help: 'h', labels: ['__x'] },
    { name: 'a_total', help: 'h', labels: ['le'] },
  ])
    assert.throws(() => registry.counter(spec), /the metric/)
  assert.throws(() => registry.gauge({ name: 'a_total', help: 'h', labels: [] }), /only counters/)
})
