import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { dependenciesOf, loadOrder, moduleName, type KernelModule } from './modules.ts'

/** Needs point to smaller numbers only, so there are no circles. */
const trees = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 30 }).map((needs) =>
  needs.map((own, at): KernelModule => ({
    name: `m${at}`,
    path: `/m${at}.ko`,
    needs: [...new Set(own.filter((other) => other < at).map((other) => `m${other}`))],
  })),
)

test('the needs of a module are read from its file', () => {
  const file = Buffer.from('\x7fELF...\0license=GPL\0depends=nf-tables,nf_nat\0retpoline=Y\0')
  assert.deepEqual(dependenciesOf(file), ['nf_tables', 'nf_nat'])
  assert.deepEqual(dependenciesOf(Buffer.from('\0depends=\0')), [])
  assert.deepEqual(dependenciesOf(Buffer.from('nothing')), [])
  assert.equal(moduleName('/lib/modules/6.1/kernel/nf-nat.ko'), 'nf_nat')
})

test('safety: every module comes once, behind all that it needs', () => {
  fc.assert(
    fc.property(trees, (modules) => {
      const byName = new Map(modules.map((module) => [module.name, module]))
      const order = loadOrder((name) => byName.get(name), [...byName.keys()].toReversed())
      assert.equal(order.length, modules.length)
      const loaded = new Set<string>()
      for (const { name, needs } of order) {
        assert.ok(needs.every((need) => loaded.has(need)))
        loaded.add(name)
      }
    }),
  )
})

test('a missing module and a circle are told with the way that led there', () => {
  const circle = (name: string) => ({ name, path: name, needs: [name === 'a' ? 'b' : 'a'] })
  assert.throws(() => loadOrder(circle, ['a']), /a -> b -> a/)
  assert.throws(() => loadOrder((name) => (name === 'a' ? { name, path: name, needs: ['zzz'] } : undefined), ['a']), /a -> zzz/)
})
