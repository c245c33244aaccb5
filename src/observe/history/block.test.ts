import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'

import { encodeJournal, newBlock, NOTHING_WRITTEN, placeOf, replayJournal, samplesOf, type Written } from './block.ts'

/** Columns as they come: new series may be there from any of them on, and some are left out. */
const columns = fc.array(fc.option(fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.double()), { maxLength: 20 })), {
  maxLength: 40,
})

test('what the journal was told of a block, it gives back, in however many entries', () => {
  fc.assert(
    fc.property(columns, fc.integer({ min: 1, max: 7 }), (told, every) => {
      const block = newBlock(0)
      const restored = newBlock(0)
      let written: Written = NOTHING_WRITTEN
      for (const [slot, samples] of told.entries()) {
        if (samples !== null) {
          const places = samples.map(([id, value]) => [placeOf(block, id), value] as const)
          const column = new Float64Array(block.ids.length).fill(NaN)
          for (const [place, value] of places) column[place] = value
          block.columns[slot] = column
        } else if (slot >= block.columns.length) block.columns.length = slot + 1
        if (slot % every !== 0) continue
        replayJournal(restored, encodeJournal(block, written))
        written = { slots: block.columns.length, ids: block.ids.length }
      }
      replayJournal(restored, encodeJournal(block, written))
      assert.deepEqual(restored.ids, block.ids)
      for (const id of block.ids) assert.deepEqual(samplesOf(restored, id), samplesOf(block, id))
    }),
  )
})

test('a broken entry is told as damage', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        replayJournal(newBlock(0), bytes)
      } catch (error) {
        assert.ok(isKind(error, 'internal'), String(error))
      }
    }),
  )
})
