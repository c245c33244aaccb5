import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { holderOf, planPorts } from './port-allocation.ts'
import type { HeldPort } from './port-allocation.ts'
import type { PortRequest } from './port.ts'

const request = (change: Partial<PortRequest> = {}): PortRequest => ({
  containerPort: 80,
  protocol: 'tcp',
  hostIp: '',
  hostPort: { first: 8080, last: 8080 },
  ...change,
})
const held = (change: Partial<HeldPort> = {}): HeldPort => ({
  hostIp: '0.0.0.0',
  hostPort: 8080,
  containerPort: 80,
  protocol: 'tcp',
  containerName: 'web',
  ...change,
})
const options = { containerName: 'api', held: [], families: [4 as const], defaultHostIp: '' }

test('a conflict names the container that has the port', () => {
  assert.throws(() => planPorts([request()], { ...options, held: [held()] }), {
    code: 'network.port_in_use',
    kind: 'conflict',
    message: 'Bind for 0.0.0.0:8080 failed: port is already allocated (tcp, published by container web)',
  })
  assert.throws(() => planPorts([request(), request({ containerPort: 81 })], options), { message: /published by container api/ })
})

test('another protocol, another address or another family is no conflict', () => {
  for (const other of [held({ protocol: 'udp' }), held({ hostPort: 8081 }), held({ hostIp: '::' })])
    assert.equal(planPorts([request()], { ...options, held: [other] }).length, 1)
  assert.equal(planPorts([request({ hostIp: '10.0.0.1' })], { ...options, held: [held({ hostIp: '10.0.0.2' })] }).length, 1)
  assert.throws(() => planPorts([request({ hostIp: '10.0.0.1' })], { ...options, held: [held()] }), {
    code: 'network.port_in_use',
  })
})

test('no address means every family that the container has, with one port', () => {
  assert.deepEqual(planPorts([request({ hostPort: null })], { ...options, families: [4, 6] }), [
    { hostIps: ['0.0.0.0', '::'], protocol: 'tcp', containerPort: 80, candidates: undefined },
  ])
  assert.deepEqual(planPorts([request()], { ...options, defaultHostIp: '127.0.0.1' })[0]?.hostIps, ['127.0.0.1'])
})

test('nonsense is refused with the number in the message', () => {
  const bad: readonly (readonly [Partial<PortRequest>, RegExp])[] = [
    [{ containerPort: 0 }, /0 is not a port/],
    [{ hostPort: { first: 9, last: 8 } }, /9-8/],
    [{ hostPort: { first: 1, last: 65_535 } }, /range of up to 1024/],
    [{ hostIp: 'web' }, /"web" is not an IP address/],
    [{ hostIp: 'fd00::1' }, /has no IPv6 address/],
  ]
  for (const [change, message] of bad)
    assert.throws(() => planPorts([request(change)], options), { code: 'network.invalid', message })
})

test('no candidate is held by somebody (safety), and a range is only refused when all of it is (liveness)', () => {
  const port = fc.integer({ min: 100, max: 106 })
  const address = fc.constantFrom('0.0.0.0', '10.0.0.1', '10.0.0.2')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(port, address)),
      port,
      fc.nat(3),
      fc.constantFrom('', '10.0.0.1'),
      (taken, first, more, hostIp) => {
        const all = taken.map(([hostPort, ip]) => held({ hostPort, hostIp: ip }))
        const range = { first, last: first + more }
        const target = hostIp === '' ? '0.0.0.0' : hostIp
        const isFree = (one: number) => holderOf(all, target, one, 'tcp') === undefined
        const free = Array.from({ length: more + 1 }, (_, at) => first + at).filter(isFree)
        const run = () => planPorts([request({ hostIp, hostPort: range })], { ...options, held: all })
        if (free.length === 0) assert.throws(run, { code: 'network.port_in_use' })
        else assert.deepEqual(run()[0]?.candidates, free)
      },
    ),
  )
})
