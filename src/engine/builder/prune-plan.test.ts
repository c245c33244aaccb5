import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { planPrune, type CacheUsage } from './prune-plan.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')

const usages = fc.array(
  fc.record({
    isInUse: fc.boolean(),
    isShared: fc.boolean(),
    sizeBytes: fc.integer({ min: 0, max: 1000 }),
    idleMs: fc.integer({ min: 0, max: 1000 }),
  }),
  { maxLength: 20 },
)

function entriesOf(given: readonly { isInUse: boolean; isShared: boolean; sizeBytes: number; idleMs: number }[]): CacheUsage[] {
  return given.map(({ idleMs, ...one }, index) => ({
    ...one,
    id: `run-${index}`,
    kind: 'regular',
    description: '',
    layer: null,
    createdAt: new Date(NOW - idleMs).toISOString(),
    lastUsedAt: null,
    usageCount: 0,
  }))
}

test('what is in use never goes, what images share only when all is asked for, the longest unused first', () => {
  fc.assert(
    fc.property(
      usages,
      fc.boolean(),
      fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined }),
      (given, all, unusedMs) => {
        const gone = planPrune(entriesOf(given), { all, ...(unusedMs === undefined ? {} : { unusedMs }) }, NOW)
        assert.ok(gone.every(({ isInUse, isShared }) => !isInUse && (all || !isShared)))
        const times = gone.map(({ createdAt }) => Date.parse(createdAt))
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        )
        assert.ok(times.every((time) => NOW - time >= (unusedMs ?? 0)))
      },
    ),
  )
})

test('with a size to keep, no more goes than has to, and enough when there is enough that may', () => {
  fc.assert(
    fc.property(usages, fc.integer({ min: 0, max: 5000 }), (given, keepBytes) => {
      const entries = entriesOf(given)
      const gone = new Set(planPrune(entries, { all: true, keepBytes }, NOW))
      const own = entries.filter(({ isShared }) => !isShared)
      const left = own.filter((entry) => !gone.has(entry)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      const isAllGone = own.every((entry) => gone.has(entry) || entry.isInUse)
      assert.ok(left <= keepBytes || isAllGone)
      const last = [...gone].at(-1)
      if (last !== undefined) assert.ok(left + last.sizeBytes > keepBytes)
    }),
  )
})
