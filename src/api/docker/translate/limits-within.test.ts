import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { LimitSupport } from '../engine.ts'
import { specOf } from '../testing/records.ts'
import { changeWithin, limitsWithin } from './limits-within.ts'

const ALL: LimitSupport = {
  ...{ hasMemory: true, hasSwap: true, hasSwappiness: true, hasOomKillDisable: true, hasPids: true, hasCpuShares: true },
  ...{ hasCpuQuota: true, hasCpuRealtime: true, hasCpuset: true, hasBlkioWeight: true, hasBlkioWeightDevice: true },
  ...{ hasBlkioThrottle: true, availableCpus: '0-3', availableMems: '0' },
}
const resourcesOf = (hostConfig: object) => specOf({ HostConfig: hostConfig }).resources
const within = (hostConfig: object, support: Partial<LimitSupport>) =>
  limitsWithin(resourcesOf(hostConfig), { ...ALL, ...support })

test('what the kernel cannot limit is left out, with a warning in dockerd’s words', () => {
  const MEMORY = { Memory: 16_000_000 }
  for (const [hostConfig, support, warning, field] of [
    [
      { MemorySwappiness: 5 },
      { hasSwappiness: false },
      /memory swappiness capabilities.*Memory swappiness discarded/,
      'memorySwappiness',
    ],
    [{ PidsLimit: 5 }, { hasPids: false }, /PIDs limit discarded/, 'pidsLimit'],
    [{ CpuShares: 5 }, { hasCpuShares: false }, /Shares discarded/, 'cpuShares'],
    [{ CpuQuota: 5000 }, { hasCpuQuota: false }, /CPU period\/quota discarded/, 'cpuQuotaUs'],
    [{ BlkioWeight: 50 }, { hasBlkioWeight: false }, /Block I\/O weight .*Weight discarded/, 'blkioWeight'],
    [MEMORY, { hasMemory: false }, /memory limit capabilities.*Limitation discarded/, 'memoryBytes'],
    [{ MemoryReservation: 16_000_000 }, { hasMemory: false }, /memory soft limit/, 'memoryReservationBytes'],
  ] as const) {
    const { resources, warnings } = within(hostConfig, support)
    assert.match(warnings.join('\n'), warning)
    assert.equal(resources[field] ?? null, null)
    assert.deepEqual(within(hostConfig, {}).warnings, [])
  }
  assert.deepEqual(within(MEMORY, { hasSwap: false }).resources.memorySwapBytes, -1)
  assert.match(within(MEMORY, { hasSwap: false }).warnings.join(), /Memory limited without swap\.$/)
  assert.equal(within({ OomKillDisable: true }, { hasOomKillDisable: false }).resources.isOomKillDisabled, false)
  assert.match(within({ OomKillDisable: true }, {}).warnings.join(), /no memory limit is set/)
})

test('processors that are not there and real-time limits without a kernel for them are errors', () => {
  assert.throws(() => within({ CpusetCpus: '2,7' }, {}), /Requested CPUs are not available - requested 2,7, available: 0-3/)
  assert.throws(() => within({ CpusetMems: '1' }, {}), /Requested memory nodes are not available - requested 1, available: 0/)
  assert.equal(within({ CpusetCpus: '0-1,3' }, {}).resources.cpusetCpus, '0-1,3')
  assert.throws(() => within({ CpuRealtimePeriod: 10 }, { hasCpuRealtime: false }), /CPU real-time period/)
  assert.throws(() => within({ NanoCpus: 1e9 }, { hasCpuQuota: false }), /NanoCPUs can not be set/)
})

test('an update loses what cannot be limited and nothing else', () => {
  const change = { blkioWeight: 200, pidsLimit: 30, memoryBytes: 16_000_000 }
  const { resources, warnings } = changeWithin(change, { ...ALL, hasBlkioWeight: false })
  assert.deepEqual(resources, { pidsLimit: 30, memoryBytes: 16_000_000 })
  assert.match(warnings.join(), /Weight discarded/)
  assert.deepEqual(changeWithin(change, ALL), { resources: change, warnings: [] })
})

test('safety: without a warning nothing is changed', () => {
  const asked = fc.record(
    {
      Memory: fc.constantFrom(0, 16_000_000),
      PidsLimit: fc.constantFrom(0, 9),
      CpuShares: fc.constantFrom(0, 9),
      BlkioWeight: fc.constantFrom(0, 50),
      OomKillDisable: fc.boolean(),
      MemorySwappiness: fc.constantFrom(-1, 0, 60),
    },
    { requiredKeys: [] },
  )
  const flags = Object.keys(ALL).filter((key) => key.startsWith('has') && key !== 'hasCpuRealtime')
  fc.assert(
    fc.property(asked, fc.subarray(flags), (hostConfig, missing) => {
      const { resources, warnings } = within(hostConfig, Object.fromEntries(missing.map((flag) => [flag, false])))
      if (warnings.length === 0) assert.deepEqual(resources, resourcesOf(hostConfig))
    }),
  )
})
