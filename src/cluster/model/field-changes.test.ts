import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { canonical } from './canonical.ts'
import { fieldChanges, withFieldChanges } from './field-changes.ts'

const value = fc.jsonValue({ maxDepth: 3 })

describe('the changes between two values', () => {
  it('make the one of the other, and are none exactly when both are equal', () => {
    fc.assert(
      fc.property(value, value, (before, after) => {
        const changes = fieldChanges(before, after)
        assert.equal(canonical(withFieldChanges(before, changes)), canonical(after))
        assert.equal(changes.length === 0, canonical(before) === canonical(after))
      }),
    )
  })

  it('name the field and not the object around it', () => {
    const before = { task: { image: 'a', environment: { A: '1', B: '2' } }, ports: [80] }
    const after = { task: { image: 'a', environment: { A: '1', C: '3' } }, ports: [80, 443] }
    assert.deepEqual(fieldChanges(before, after), [
      { path: ['ports'], before: [80], after: [80, 443] },
      { path: ['task', 'environment', 'B'], before: '2' },
      { path: ['task', 'environment', 'C'], after: '3' },
    ])
  })

  it('do not take a field that is undefined for one that is there', () => {
    assert.deepEqual(fieldChanges({ a: undefined }, {}), [])
    assert.deepEqual(fieldChanges({ a: undefined }, { a: null }), [{ path: ['a'], after: null }])
  })
})
