import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLog } from '#base'

import { keepTable } from './keep-table.ts'
import type { Ruleset } from './ruleset.ts'

function ruleset(...keys: readonly string[]): Ruleset {
  return {
    sets: new Map([['s', ['type ipv4_addr']]]),
    chains: new Map(),
    elements: new Map([['s', new Map(keys.map((key) => [key, '']))]]),
  }
}

function fixture() {
  const scripts: string[] = []
  const refusing = new Set<number>()
  const tables = new Set<string>()
  const keeper = keepTable({
    table: 't',
    log: silentLog(),
    nft: {
      apply: async (script) => {
        scripts.push(script)
        await Promise.resolve()
        if (refusing.has(scripts.length)) throw new Error('nft says no')
        tables.add('t')
      },
      tables: async () => [...tables],
      deleteTable: async (name) => void tables.delete(name),
    },
  })
  return { scripts, refusing, tables, keeper }
}

const isWhole = (script: string | undefined) => script?.startsWith('table inet t') === true

test('the first time all of it is written, then only what differs', async () => {
  const { keeper, scripts } = fixture()
  await keeper.bring(ruleset('1.1.1.1'))
  await keeper.bring(ruleset('1.1.1.1', '2.2.2.2'))
  await keeper.bring(ruleset('1.1.1.1', '2.2.2.2'))
  assert.ok(isWhole(scripts[0]))
  assert.deepEqual(scripts.slice(1), ['add element inet t s { 2.2.2.2 }\n'])
})

test('those who ask while a transaction is under way share the next one', async () => {
  const { keeper, scripts } = fixture()
  await keeper.bring(ruleset('1.1.1.1'))
  const asked = ['2.2.2.2', '3.3.3.3', '4.4.4.4'].map((key) => keeper.bring(ruleset(key)))
  await Promise.all(asked)
  assert.deepEqual(scripts.slice(1), ['delete element inet t s { 1.1.1.1 }\nadd element inet t s { 4.4.4.4 }\n'])
})

test('a change that is refused has the whole table written', async () => {
  const { keeper, scripts, refusing } = fixture()
  await keeper.bring(ruleset('1.1.1.1'))
  refusing.add(2)
  await keeper.bring(ruleset('2.2.2.2'))
  assert.ok(isWhole(scripts[2]))
  await keeper.bring(ruleset('2.2.2.2', '3.3.3.3'))
  assert.equal(scripts[3], 'add element inet t s { 3.3.3.3 }\n')
})

test('when the whole table is refused too the caller hears it, and the next try writes all again', async () => {
  const { keeper, scripts, refusing } = fixture()
  refusing.add(1)
  await assert.rejects(keeper.bring(ruleset('1.1.1.1')), /nft says no/)
  await keeper.bring(ruleset('1.1.1.1'))
  assert.ok(isWhole(scripts[1]))
})

test('a table that somebody flushed is written again after a look', async () => {
  const { keeper, scripts, tables } = fixture()
  await keeper.bring(ruleset('1.1.1.1'))
  tables.clear()
  await keeper.verify()
  await keeper.bring(ruleset('1.1.1.1'))
  assert.ok(isWhole(scripts[1]))
})

test('with nothing wanted the table goes', async () => {
  const { keeper, tables } = fixture()
  await keeper.bring(ruleset('1.1.1.1'))
  await keeper.bring(null)
  assert.equal(tables.size, 0)
})
