import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { forgetOf } from './forget-connections.ts'

const OWN = ['10.0.0.1', 'fd00::1']

test('what a container that is gone answered, and UDP that went to the host before a port was published', () => {
  const rule = { hostIp: '0.0.0.0', hostPort: 53, containerPort: 53, protocol: 'udp', containerIp: '172.18.0.2' } as const
  assert.deepEqual(forgetOf([], [rule], OWN), [{ family: 4, repliesFrom: ['172.18.0.2'] }])
  assert.deepEqual(forgetOf([rule, { ...rule, hostIp: '::', containerIp: 'fd01::2' }], [], OWN), [
    { family: 4, repliesFrom: ['10.0.0.1'], to: { protocol: 'udp', ports: [53] } },
    { family: 6, repliesFrom: ['fd00::1'], to: { protocol: 'udp', ports: [53] } },
  ])
  assert.deepEqual(forgetOf([{ ...rule, protocol: 'tcp' }], [], OWN), [])
})

const port = fc.record({
  hostIp: fc.constantFrom('0.0.0.0', '::'),
  hostPort: fc.integer({ min: 1, max: 9 }),
  containerPort: fc.constant(1),
  protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  containerIp: fc.constantFrom('172.18.0.2', '172.18.0.3', 'fd01::2'),
})

test('never are all connections forgotten, and never more than four questions asked', () => {
  fc.assert(
    fc.property(fc.array(port), fc.array(port), (added, removed) => {
      const filters = forgetOf(added, removed, OWN)
      assert.ok(filters.length <= 4)
      for (const { repliesFrom, to } of filters) assert.ok(repliesFrom.length > 0 && (to === undefined || to.ports.length > 0))
    }),
  )
})
