import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { planStack, type StackLayer } from './stack.ts'

const layer = (slot: number, more: Partial<StackLayer> = {}): StackLayer => ({
  slot,
  isRootOpaque: false,
  isRootExplicit: false,
  ...more,
})

test('layers are stacked top-most first, each once', () => {
  assert.deepEqual(planStack([layer(1), layer(2), layer(3)]).slots, [3, 2, 1])
  assert.deepEqual(planStack([layer(1), layer(2), layer(1)]).slots, [1, 2])
  assert.deepEqual(planStack([]), { slots: [], rootSlot: undefined })
})

test('nothing below a layer with an opaque root is mounted', () => {
  assert.deepEqual(planStack([layer(1), layer(2, { isRootOpaque: true }), layer(3)]).slots, [3, 2])
})

test('the top-most layer with an entry for its root decides on the root', () => {
  assert.equal(planStack([layer(1, { isRootExplicit: true }), layer(2, { isRootExplicit: true }), layer(3)]).rootSlot, 2)
})

test('more layers than Linux stacks are refused', () => {
  const layers = Array.from({ length: 501 }, (_, slot) => layer(slot))
  assert.throws(() => planStack(layers), { code: 'snapshot.too_many_layers' })
})

test('what one sees is decided by the top-most layer that has it, as if the layers had been applied one after the other', () => {
  const anyLayer = fc.record({ slot: fc.nat(6), isRootOpaque: fc.boolean(), isRootExplicit: fc.boolean() })
  fc.assert(
    fc.property(fc.array(anyLayer, { maxLength: 10 }), (draft) => {
      // A layer is the same wherever it appears.
      const bySlot = new Map(draft.map((each) => [each.slot, each]))
      const layers = draft.flatMap((each) => bySlot.get(each.slot) ?? [])
      const { slots } = planStack(layers)
      // Layer n holds a file of its own and one that all have.
      let applied = new Map<string, number>()
      for (const { slot, isRootOpaque } of layers) {
        if (isRootOpaque) applied = new Map()
        applied.set('shared', slot).set(`own-${slot}`, slot)
      }
      const stacked = new Map<string, number>()
      for (const slot of slots.toReversed()) stacked.set('shared', slot).set(`own-${slot}`, slot)
      assert.deepEqual(new Map(stacked), applied)
    }),
  )
})
