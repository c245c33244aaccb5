import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { silentLog, virtualClock } from '#base'
import type { ServiceRecord, TaskRecord } from '#cluster/model'
import type { Mirror } from '#cluster/services'
import type { ContainerRecord } from '#engine/containers'
import { createRegistry } from '#observe/metrics'
import { LATENCY_BOUNDS_MS } from '#traffic/router'

import { countCluster } from './cluster-counts.ts'
import { containerNames, distinctLabels } from './container-labels.ts'
import { latencySamples } from './route-source.ts'

const record = (id: string, name: string, labels: Readonly<Record<string, string>> = {}) =>
  ({ id, name, spec: { labels } }) as unknown as ContainerRecord

const TASK = {
  'io.glovebox.stack': 'shop',
  'io.glovebox.service': 'web',
  'io.glovebox.task': '1',
  'io.glovebox.task-id': 'abcdefghijklmn',
}

test('containers are told apart by names, and by ids only when two would be called the same', () => {
  assert.deepEqual(containerNames(record('1', 'plain')), { container: 'plain', stack: '', service: '', task: '' })
  assert.deepEqual(containerNames(record('1', 'shop-web-1', TASK)), {
    container: 'shop-web-1',
    stack: 'shop',
    service: 'web',
    task: '1',
  })
  assert.equal(containerNames(record('1', 'web.1.abcdefghijklmn', TASK)).container, 'web.1')
  assert.equal(containerNames(record('1', 'shop-web-1-abcdefgh', TASK)).container, 'shop-web-1')
  const known: Parameters<typeof distinctLabels>[1] = new Map()
  const young = record('2', 'shop-web-1', { ...TASK, 'io.glovebox.task-id': 'zzzzzzzzzzzzzz' })
  const old = record('1', 'shop-web-1-abcdefgh', TASK)
  const both = distinctLabels([young, old], known)
  assert.equal(both.get('2'), 'container="shop-web-1",stack="shop",service="web",task="1"')
  assert.equal(both.get('1'), 'container="shop-web-1-abcdefgh",stack="shop",service="web",task="1"')
  assert.equal(distinctLabels([old], known).get('1'), both.get('2'))
  assert.equal(known.size, 1)
})

test('whatever containers are called, no two have the same labels', () => {
  const name = fc.constantFrom('a', 'b', 'a-abcdefgh', 'a.abcdefghijklmn')
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, fc.boolean()), { maxLength: 4, selector: ([one]) => one }), (all) => {
      const records = all.map(([one, isTask], index) => record(String(index), one, isTask ? TASK : {}))
      const labels = [...distinctLabels(records, new Map()).values()]
      // Of three that would be called the same the second and third have their own names, which differ.
      assert.equal(new Set(labels).size, labels.length)
    }),
  )
})

test('latencies in fewer buckets are as many as they were', () => {
  const counts = fc.array(fc.nat(1000), { minLength: LATENCY_BOUNDS_MS.length + 1, maxLength: LATENCY_BOUNDS_MS.length + 1 })
  fc.assert(
    fc.property(counts, (told) => {
      const samples = latencySamples('', told)
      const total = told.reduce((sum, count) => sum + count, 0)
      const buckets = samples.filter(({ suffix }) => suffix === '_bucket')
      assert.equal(buckets.at(-1)?.value, total)
      assert.ok(buckets.every(({ value }, index) => value >= (buckets[index - 1]?.value ?? 0)))
      for (const { labels, value } of buckets.slice(0, -1)) {
        const bound = Number(/le="([^"]+)"/.exec(labels)?.[1]) * 1000
        const below = told.slice(0, LATENCY_BOUNDS_MS.findIndex((known) => Math.abs(known - bound) < 1e-6) + 1)
        assert.equal(
          value,
          below.reduce((sum, count) => sum + count, 0),
        )
      }
    }),
  )
})

test('each thing that happens to a service is counted once, and what was there before is not', async () => {
  const records = new Map<string, unknown>()
  const listeners: Parameters<Mirror['listen']>[0][] = []
  const mirror = {
    range: (prefix: string) =>
      [...records].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => ({ key, value, revision: 1 })),
    get: (key: string) => (records.has(key) ? { key, value: records.get(key), revision: 1 } : undefined),
    listen: (listener: Parameters<Mirror['listen']>[0]) => (listeners.push(listener), { [Symbol.dispose]: () => undefined }),
  } as Pick<Mirror, 'range' | 'get' | 'listen'>
  const write = (key: string, value: unknown) => {
    records.set(key, value)
    for (const listener of listeners) listener({ revision: 1, changes: [{ key, value }] })
  }
  const clock = virtualClock()
  const registry = createRegistry({ clock, log: silentLog() })
  const rollout = (state: string, endedAtMs: number | null) => ({ state, startedAtMs: 1000, endedAtMs })
  const service = (one: ReturnType<typeof rollout> | null) => ({ id: 's', name: 'web', rollout: one }) as unknown as ServiceRecord
  const task = (id: string, nodeId: string | null, state: string, failures = 0) =>
    ({ id, serviceId: 's', nodeId, status: { state }, failures, createdAtMs: clock.nowMs() }) as unknown as TaskRecord
  records.set('service/s', service(rollout('completed', 2000)))
  records.set('task/old', task('old', 'n', 'failed'))
  countCluster(mirror, registry, clock)

  write('service/s', service(rollout('running', null)))
  write('service/s', service(rollout('failed', 61_000)))
  write('service/s', service(rollout('failed', 61_000)))
  write('task/a', task('a', null, 'pending'))
  write('task/a', task('a', 'n', 'assigned'))
  write('task/a', task('a', 'n', 'running'))
  write('task/a', task('a', 'n', 'failed'))
  write('task/a', task('a', 'n', 'remove'))
  write('task/b', task('b', null, 'new', 1))
  write('run/s/r', { serviceId: 's', state: 'running', createdAtMs: 0, endedAtMs: null })
  write('run/s/r', { serviceId: 's', state: 'succeeded', createdAtMs: 0, endedAtMs: 5000 })
  const { families } = await registry.read('all', 0)
  const told = (name: string) =>
    families.find((family) => family.name === name)?.samples.map(({ suffix, labels, value }) => `${suffix}${labels} ${value}`)
  assert.deepEqual(told('glovebox_service_rollouts_total'), ['service="web",outcome="failed" 1'])
  assert.ok(told('glovebox_service_rollout_duration_seconds')?.includes('_sumoutcome="failed" 60'))
  assert.deepEqual(told('glovebox_scheduler_placements_total'), [' 1'])
  assert.deepEqual(told('glovebox_service_task_ends_total'), ['service="web",state="failed" 1'])
  assert.deepEqual(told('glovebox_service_restarts_total'), ['service="web" 1'])
  assert.deepEqual(told('glovebox_job_runs_total'), ['service="web",outcome="succeeded" 1'])
  assert.deepEqual(told('glovebox_job_last_success_timestamp_seconds'), ['service="web" 5'])
})
