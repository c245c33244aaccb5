import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { ResourceSpec } from './spec.ts'
import { planUpdate } from './update-plan.ts'

const NONE: ResourceSpec = {
  ...{ memoryBytes: null, memorySwapBytes: null, memoryReservationBytes: null, nanoCpus: null, cpuShares: null },
  ...{ cpuPeriodUs: null, cpuQuotaUs: null, cpusetCpus: '', cpusetMems: '', pidsLimit: null, blkioWeight: null },
  ...{ blkioDevices: [], isOomKillDisabled: false, oomScoreAdj: 0, ulimits: [], shmBytes: 0, cgroupParent: '' },
}
const plan = (had: Partial<ResourceSpec>, asked: Partial<ResourceSpec>) => planUpdate(asked, { ...NONE, ...had, ...asked })

test('only what was asked for is told', () => {
  assert.deepEqual(plan({ memoryBytes: 5, cpuQuotaUs: 6 }, { pidsLimit: -1 }), { pidsLimit: -1 })
  assert.deepEqual(plan({}, { cpusetCpus: '0-1', cpusetMems: '' }), { cpusetCpus: '0-1' })
  assert.deepEqual(plan({ memoryBytes: 5 }, {}), {})
})

test('a quota goes with its period, which cgroup v2 writes in one line', () => {
  assert.deepEqual(plan({}, { cpuQuotaUs: -1 }), { cpuPeriodUs: 100_000, cpuQuotaUs: -1 })
  assert.deepEqual(plan({ cpuPeriodUs: 50_000 }, { cpuQuotaUs: 10_000 }), { cpuPeriodUs: 50_000, cpuQuotaUs: 10_000 })
  assert.deepEqual(plan({ cpuQuotaUs: 10_000 }, { cpuPeriodUs: 50_000 }), { cpuPeriodUs: 50_000, cpuQuotaUs: 10_000 })
  assert.deepEqual(plan({}, { nanoCpus: 250_000_000 }), { cpuPeriodUs: 100_000, cpuQuotaUs: 25_000 })
})

test('a swap limit goes with the memory limit that cgroup v2 takes off it', () => {
  assert.deepEqual(plan({ memoryBytes: 64 }, { memorySwapBytes: 96 }), { memoryBytes: 64, memorySwapBytes: 96 })
})

test('a number of CPUs and a quota do not come together in two steps either', () => {
  assert.throws(() => plan({ nanoCpus: 1e9 }, { cpuQuotaUs: 10_000 }), { code: 'input.invalid' })
  assert.throws(() => plan({ cpuPeriodUs: 50_000 }, { nanoCpus: 1e9 }), { code: 'input.invalid' })
})

test('safety: quota and period are told together or not at all, and nothing is null', () => {
  const figure = fc.option(fc.integer({ min: 1000, max: 1_000_000 }), { nil: null })
  const limits = fc.record({
    cpuPeriodUs: figure,
    cpuQuotaUs: figure,
    memoryBytes: figure,
    memorySwapBytes: figure,
    pidsLimit: figure,
  })
  const change = fc.record(
    { cpuPeriodUs: figure, cpuQuotaUs: figure, memorySwapBytes: figure, pidsLimit: figure },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(limits, change, (had, asked) => {
      const all = { ...NONE, ...had, ...asked }
      const isBelow = all.memoryBytes !== null && all.memorySwapBytes !== null && all.memorySwapBytes < all.memoryBytes
      if (isBelow)
        return assert.throws(() => plan(had, asked), /Memory limit should be smaller than already set memoryswap limit/)
      const told = plan(had, asked)
      assert.ok(Object.values(told).every((value) => value !== null))
      if (told.cpuQuotaUs !== undefined) assert.notEqual(told.cpuPeriodUs, undefined)
    }),
  )
})
