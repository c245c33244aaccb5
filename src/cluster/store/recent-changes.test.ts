import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { recentChanges, type StoredChange } from './recent-changes.ts'

/** Sizes that let the bounds be reached with few transactions. */
const size = fc.oneof(fc.nat(5), fc.constantFrom(1000, 3000))
const transaction = fc.record({
  changes: fc.tuple(fc.integer({ min: 1, max: 3 }), size).map(([least, more]) => least + more),
  isUndone: fc.boolean(),
})

test('safety: what is told is whole and without a gap, or it is said that it is not here', () => {
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 12 }), fc.nat(14), (transactions, after) => {
      const recent = recentChanges()
      const all: StoredChange[] = []
      let revision = 0
      for (const { changes, isUndone } of transactions) {
        const added = Array.from({ length: changes }, (_, n) => ({ revision: revision + 1, key: `k/${n}`, value: null }))
        for (const change of added) recent.add(change)
        if (isUndone) recent.undo()
        else {
          recent.commit()
          revision += 1
          all.push(...added)
        }
      }
      const told = recent.after(after)
      if (told !== undefined)
        assert.deepEqual(
          [...told],
          all.filter((change) => change.revision > after),
        )
      // The youngest is always here, unless it alone is more than there is room for.
      else assert.ok(after < revision - 1 || revision === 0 || (transactions.at(-1)?.changes ?? 0) > 3000)
    }),
    { numRuns: 60 },
  )
})
