import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { TaskRecord } from '#cluster/model'

import { serviceSpec, wishFor } from '../../../test/sim/specs.ts'
import { judgeCanary } from './judge-canary.ts'
import { afterEnd } from './restart-policy.ts'
import { templateHash } from './template-hash.ts'

function ended(exitCode: number, failures: number, ranMs: number): TaskRecord {
  const state = exitCode === 0 ? 'complete' : 'failed'
  const times = { sinceMs: 100_000, startedAtMs: 100_000 - ranMs }
  const status = {
    ...times,
    state,
    message: '',
    error: '',
    containerId: 'c',
    exitCode,
    isOomKilled: false,
    isReady: false,
  } as const
  const fixed = { id: 't', serviceId: 's', revision: 1, slot: 1, nodeId: 'n', startAfterMs: 0, runId: null, placement: '' }
  const times2 = { createdAtMs: 0, updatedAtMs: 0 }
  return { ...fixed, ...times2, failures, desiredState: 'running', status: { ...status, addresses: {}, hostPorts: [] } }
}

const ALWAYS = { condition: 'always', maxAttempts: 0, delayMs: 0 } as const

describe('what becomes of the place of a task that ended', () => {
  it('is another task after a while that doubles with each failure, up to a minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (failures) => {
        const after = afterEnd(ended(1, failures, 10), ALWAYS, 0)
        assert.ok(after.next === 'restart')
        const delayMs = after.atMs - 100_000
        assert.equal(delayMs, Math.min(60_000, 250 * 2 ** Math.min(30, failures)))
      }),
    )
  })

  it('begins to count anew after ten good seconds, or when somebody asked for it again', () => {
    const stable = afterEnd(ended(1, 7, 11_000), ALWAYS, 0)
    assert.ok(stable.next === 'restart' && stable.failures === 1)
    const forgiven = afterEnd(ended(1, 7, 10), ALWAYS, 200_000)
    assert.ok(forgiven.next === 'restart' && forgiven.failures === 0 && forgiven.atMs === 100_000)
  })

  it('is nothing where the end was meant, or the attempts are over', () => {
    assert.equal(afterEnd(ended(0, 0, 10), { ...ALWAYS, condition: 'on-failure' }, 0).next, 'done')
    assert.equal(afterEnd(ended(1, 0, 10), { ...ALWAYS, condition: 'never' }, 0).next, 'leave')
    assert.equal(afterEnd(ended(1, 3, 10), { ...ALWAYS, maxAttempts: 3 }, 0).next, 'leave')
    assert.equal(afterEnd(ended(1, 2, 10), { ...ALWAYS, maxAttempts: 3 }, 0).next, 'restart')
  })
})

describe('a canary', () => {
  const spec = {
    steps: [],
    minRequests: 100,
    maxErrorRatio: 0.1,
    latencyPercentile: 0.95,
    maxLatencyRatio: 2,
    isPromotedByHand: false,
  }
  const sample = (requests: number, errors: number, latencyMs: number | null) => ({
    old: { requests: 1000, errors: 0, latencyMs: 10 },
    new: { requests, errors, latencyMs },
  })

  it('is judged by errors and latency, and not by too little', () => {
    assert.equal(judgeCanary(spec, undefined, 0, 0).verdict, 'too-little')
    assert.equal(judgeCanary(spec, sample(99, 99, 10), 0, 0).verdict, 'too-little')
    assert.equal(judgeCanary(spec, sample(100, 10, 10), 0, 0).verdict, 'good')
    assert.equal(judgeCanary(spec, sample(100, 11, 10), 0, 0).verdict, 'bad')
    assert.equal(judgeCanary(spec, sample(100, 0, 20), 0, 0).verdict, 'good')
    const slow = judgeCanary(spec, sample(100, 0, 25), 0, 0)
    assert.equal(slow.reason, 'latency (p95) 25 ms against 10 ms is 2.5 times as much, at most 2 allowed')
  })
})

describe('the hash of a template', () => {
  it('does not change with replicas, restarts and rollouts, but with all that tasks are made from', () => {
    const { parts } = wishFor({ name: 'web' })
    const hash = (choice: Parameters<typeof serviceSpec>[0]) => templateHash(serviceSpec(choice), parts, 'sha256:1')
    const plain = hash({ name: 'web' })
    assert.equal(hash({ name: 'web', replicas: 7, restart: { ...ALWAYS, delayMs: 9 }, update: { parallelism: 3 } }), plain)
    assert.notEqual(hash({ name: 'web', image: 'good:2' }), plain)
    assert.notEqual(hash({ name: 'web', hostPort: 80 }), plain)
    assert.notEqual(templateHash(serviceSpec({ name: 'web' }), parts, 'sha256:2'), plain)
    assert.notEqual(templateHash(serviceSpec({ name: 'web' }), parts, 'sha256:1', 1), plain)
  })
})
