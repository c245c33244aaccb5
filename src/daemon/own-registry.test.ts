import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Repositories } from '#engine/repositories'

import { ownRegistry } from './own-registry.ts'

const at = (address: string) => ownRegistry({} as Repositories, address)

test('an address with another port is never its own, and one with its port may be, by whatever name', () => {
  const own = at('0.0.0.0:5000')
  assert.deepEqual(
    [own.mayBeAt('registry.example:5000'), own.mayBeAt('registry.example:5001'), own.mayBeAt('registry.example')],
    [true, false, false],
  )
})

test('for sure it is at the address that it listens on, and loopback addresses are one', () => {
  const loopback = at('127.0.0.1:5000')
  for (const host of ['127.0.0.1:5000', 'localhost:5000', '[::1]:5000']) assert.ok(loopback.isAt(host), host)
  for (const host of ['127.0.0.1:5001', 'registry.example:5000', 'localhost.evil:5000']) assert.ok(!loopback.isAt(host), host)
  assert.ok(at('192.0.2.1:5000').isAt('192.0.2.1:5000'))
  assert.ok(!at('192.0.2.1:5000').isAt('127.0.0.1:5000'))
  assert.ok(at('::1:5000').isAt('[::1]:5000'))
})
