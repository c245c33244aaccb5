import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { changeScript, standingAfter, wholeScript, type Ruleset } from './ruleset.ts'

const SETS = new Map([
  ['m', ['type ipv4_addr : ipv4_addr']],
  ['s', ['type ipv4_addr']],
])

const aRuleset: fc.Arbitrary<Ruleset> = fc.record({
  sets: fc.constant(SETS),
  chains: fc
    .subarray(['of_1', 'of_2', 'of_3'])
    .map((names) => new Map(names.map((name) => [name, [`rule of ${name}`]] as [string, string[]]))),
  elements: fc
    .record({
      m: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom(' : x', ' : y')),
      s: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constant('')),
    })
    .map((sets) => new Map(Object.entries(sets).map(([name, elements]) => [name, new Map(Object.entries(elements))]))),
})

/** What nft makes of a script, as far as ours go. */
function apply(state: Map<string, Map<string, string>>, chains: Set<string>, script: string): void {
  for (const line of script.split('\n').filter((text) => text !== '')) {
    const chain = /^add chain inet t (\w+)$/.exec(line)?.[1]
    if (chain !== undefined) {
      assert.ok(!chains.has(chain), `${chain} is there already`)
      chains.add(chain)
    }
    const [, verb, set = '', elements = ''] = /^(add|delete) element inet t (\w+) \{ (.*) \}$/.exec(line) ?? []
    const known = state.get(set) ?? new Map<string, string>()
    for (const element of verb === undefined ? [] : elements.split(', ')) {
      const [key = '', value = ''] = element.split(/(?= : )/)
      if (verb === 'delete') assert.ok(known.delete(key), `${key} to delete is there`)
      else {
        assert.ok(!known.has(key), `${key} to add is not there`)
        known.set(key, value)
      }
    }
    if (verb !== undefined) state.set(set, known)
  }
}

const plain = (elements: Ruleset['elements']) =>
  Object.fromEntries([...elements].filter(([, one]) => one.size > 0).map(([name, one]) => [name, Object.fromEntries(one)]))

test('property: a change leads from any table to any other, deleting only what is there and adding only what is not', () => {
  fc.assert(
    fc.property(aRuleset, aRuleset, (before, wanted) => {
      const state = new Map([...before.elements].map(([name, elements]) => [name, new Map(elements)]))
      const chains = new Set(before.chains.keys())
      apply(state, chains, changeScript('t', before, wanted))
      assert.deepEqual(plain(state), plain(wanted.elements))
      for (const name of wanted.chains.keys()) assert.ok(chains.has(name))
      assert.deepEqual(chains, new Set(standingAfter(before, wanted).chains.keys()))
    }),
  )
})

test('what stands already needs no transaction', () => {
  fc.assert(fc.property(aRuleset, (one) => assert.equal(changeScript('t', one, one), '')))
})

test('a whole table replaces what is there in one transaction, and calls maps maps', () => {
  const script = wholeScript('t', {
    sets: SETS,
    chains: new Map([['c', ['accept']]]),
    elements: new Map([['s', new Map([['1.2.3.4', '']])]]),
  })
  assert.deepEqual(script.split('\n'), [
    'table inet t',
    'delete table inet t',
    'table inet t {',
    'map m {',
    'type ipv4_addr : ipv4_addr',
    '}',
    'set s {',
    'type ipv4_addr',
    '}',
    'chain c {',
    'accept',
    '}',
    '}',
    'add element inet t s { 1.2.3.4 }',
    '',
  ])
})
