import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { Backend } from './port.ts'
import { shiftGroups } from './shares.ts'
import { backendWeights, MAX_WEIGHT } from './weights.ts'

function backends(group: string, count: number, state: Backend['state'] = 'ready'): readonly Backend[] {
  return Array.from({ length: count }, (_, index) => ({ id: `${group}-${index}`, address: '10.0.0.1', port: 80, state, group }))
}

function parts(all: readonly Backend[], weights: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const sum = [...weights.values()].reduce((total, weight) => total + weight, 0)
  const found = new Map<string, number>()
  for (const backend of all) {
    const group = backend.group ?? ''
    found.set(group, (found.get(group) ?? 0) + (weights.get(backend.id) ?? 0) / sum)
  }
  return found
}

describe('the weights of backends', () => {
  it('give a group its percentage to half a point, whatever the numbers of tasks', () => {
    const anyCount = fc.integer({ min: 1, max: 60 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        anyCount,
        anyCount,
        fc.integer({ min: 0, max: 3 }),
        (percent, old, young, drained) => {
          const all = [...backends('old', old), ...backends('new', young), ...backends('old-draining', drained, 'draining')]
          const weights = backendWeights(all, [
            { name: 'old', share: 100 - percent },
            { name: 'new', share: percent },
          ])
          for (const weight of weights.values()) assert.ok(Number.isInteger(weight) && weight >= 0 && weight <= MAX_WEIGHT)
          assert.ok(Math.abs((parts(all, weights).get('new') ?? 0) * 100 - percent) <= 0.5)
        },
      ),
    )
  })

  it('leave the part of a group without a ready backend to the others, and give nothing to a share of 0', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ share: fc.nat(100), ready: fc.nat(5) }), { maxLength: 5 }), (groups) => {
        const all = groups.flatMap(({ ready }, index) => backends(`g${index}`, ready))
        const weights = backendWeights(
          all,
          groups.map(({ share }, index) => ({ name: `g${index}`, share })),
        )
        assert.equal(weights.size, all.length)
        for (const [index, { share, ready }] of groups.entries()) {
          const sum = all
            .filter((backend) => backend.group === `g${index}`)
            .reduce((total, { id }) => total + (weights.get(id) ?? 0), 0)
          assert.equal(sum > 0, share > 0 && ready > 0)
        }
      }),
    )
  })
})

describe('a shift by hand', () => {
  it('gives the groups that it names their percentage, and the others the rest in their proportions', () => {
    const groups = [
      { name: 'revision-3', share: 95 },
      { name: 'revision-4', share: 5 },
      { name: 'old house', share: 0 },
    ]
    assert.deepEqual(
      shiftGroups(groups, { 'old house': 80, gone: 9 }).map((group) => group.share),
      [19, 1, 80],
    )
    assert.deepEqual(
      shiftGroups(groups.slice(2), {}).map((group) => group.share),
      [100],
    )
  })

  it('always makes a hundred percent of all when somebody is left, and is none when it names nobody', () => {
    const anyGroups = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), share: fc.nat(100) }), {
      selector: (group) => group.name,
      minLength: 1,
    })
    fc.assert(
      fc.property(anyGroups, fc.nat(100), (groups, percent) => {
        const shifted = shiftGroups(groups, { a: percent })
        const sum = shifted.reduce((total, group) => total + group.share, 0)
        const isAlone = groups.every((group) => group.name === 'a')
        assert.ok(Math.abs(sum - (isAlone ? percent : 100)) < 1e-6)
      }),
    )
  })
})
