import assert from 'node:assert/strict'
import { test } from 'node:test'

import { explainName } from './explain.ts'
import { serviceIndex } from './names.ts'
import type { Binding } from './plan.ts'

const FRONT = { id: 'f', name: 'front' }
const BACK = { id: 'b', name: 'back' }

function bound(service: string, network: typeof FRONT, more: Partial<Binding> = {}): Binding {
  const fixed = { stack: 'shop', bridge: 'gb', aliases: [], virtual: [`10.${network.id}.${service}`], backends: ['10.0.0.2'] }
  return { ...fixed, service, network: network.name, networkId: network.id, ...more }
}

function explain(bindings: readonly Binding[], name: string, networks: readonly (typeof FRONT)[] = [FRONT]) {
  return explainName(serviceIndex(bindings), bindings, { stack: 'shop', networks, name })
}

test('a name that is answered says by what', () => {
  const bindings = [bound('web', FRONT), bound('old', FRONT, { virtual: [] })]
  assert.match(explain(bindings, 'web').reason, /shop\/web has an address of its own/)
  assert.match(explain(bindings, 'shop_web').reason, /shop\/web has an address of its own/)
  assert.match(explain(bindings, 'tasks.web.front').reason, /addresses of the ready tasks of shop\/web/)
  assert.deepEqual(explain(bindings, 'old').addresses, ['10.0.0.2'])
})

test('one that leads nowhere says why', () => {
  const bindings = [bound('db', BACK), bound('idle', FRONT, { backends: [] }), bound('rr', FRONT, { virtual: [], backends: [] })]
  const far = explain(bindings, 'db')
  assert.deepEqual([far.addresses, far.holders.map(({ isShared }) => isShared)], [undefined, [false]])
  assert.match(far.reason, /shop\/db is called db on back, and who asks is on front/)
  assert.match(explain(bindings, 'db', []).reason, /who asks is on no network with names/)
  assert.match(explain(bindings, 'idle').reason, /its address refuses connections/)
  assert.match(explain(bindings, 'rr').reason, /the answer is empty/)
  assert.match(explain(bindings, 'cache').reason, /no service is called cache/)
})
