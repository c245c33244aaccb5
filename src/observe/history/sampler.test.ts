import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLog, virtualClock } from '#base'
import { createRegistry } from '#observe/metrics'

import { startSampler } from './sampler.ts'

test('readings are taken at whole tens of seconds, one at a time, and a failed one is no end', async () => {
  const clock = virtualClock(1_700_000_003_000)
  const registry = createRegistry({ clock, log: silentLog() })
  const lateness = registry.histogram({ name: 'late_seconds', help: 'h', labels: [] }, [1])
  const times: number[] = []
  let reads = 0
  const sampler = startSampler({
    clock,
    log: silentLog(),
    lateness,
    read: async () => {
      reads += 1
      if (reads === 2) throw new Error('not now')
      // The third takes longer than the time between two.
      if (reads === 3) await clock.sleep(15_000)
      return { atMs: clock.nowMs(), families: [] }
    },
    takers: [(atMs) => times.push(atMs - 1_700_000_000_000)],
  })
  await clock.advance(62_000)
  assert.deepEqual(times, [10_000, 30_000, 50_000, 60_000])
  assert.equal(reads, 5)
  await sampler[Symbol.asyncDispose]()
  await clock.advance(60_000)
  assert.equal(reads, 5)
})
