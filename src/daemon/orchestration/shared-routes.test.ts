import assert from 'node:assert/strict'
import { test } from 'node:test'

import { virtualClock } from '#base'
import type { RoutePort, RouteSpec } from '#cluster/reconcile'

import { sharedRoutes } from './shared-routes.ts'

function fakeRouter() {
  const told: (readonly string[])[] = []
  const router: RoutePort = {
    apply: async (routes) => {
      told.push(routes.map(({ id }) => id))
      return await Promise.resolve(routes.filter(({ id }) => id.startsWith('bad')).map(({ id }) => ({ id, reason: 'no' })))
    },
    connections: async () => await Promise.resolve(new Map()),
    freePort: async () => await Promise.resolve(1),
  }
  return { router, told }
}

const route = (id: string): RouteSpec => ({ id, hostIp: '', hostPort: 80, mode: 'tcp', backends: [] })

test('nothing is routed before everybody has said what to route, then always all of it', async () => {
  const { router, told } = fakeRouter()
  const shared = sharedRoutes(router, virtualClock(), ['stacks', 'services'])
  const first = shared.of('stacks').apply([route('a'), route('bad-a')])
  await Promise.resolve()
  assert.deepEqual(told, [])
  assert.deepEqual(await shared.of('services').apply([route('b')]), [])
  assert.deepEqual(await first, [{ id: 'bad-a', reason: 'no' }])
  await shared.of('services').apply([])
  assert.deepEqual(new Set(told.flat()), new Set(['a', 'bad-a', 'b']))
  assert.deepEqual(told.at(-1), ['a', 'bad-a'])
})

test('who never comes is not waited for without an end', async () => {
  const { router, told } = fakeRouter()
  const clock = virtualClock()
  const first = sharedRoutes(router, clock, ['stacks', 'services'])
    .of('stacks')
    .apply([route('a')])
  await clock.advance(5000)
  await first
  assert.deepEqual(told, [['a']])
})
