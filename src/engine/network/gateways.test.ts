import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { changedRoutes, defaultRoutes, gatewayEndpoint } from './gateways.ts'
import type { Endpoint } from './port.ts'

const endpoint = (guestLink: string, change: Partial<Endpoint> = {}): Endpoint =>
  ({
    guestLink,
    ipAddress: '10.0.0.2',
    gateway: '10.0.0.1',
    ipv6Address: '',
    ipv6Gateway: '',
    gatewayPriority: 0,
    isRoutedOnLink: false,
    ...change,
  }) as Endpoint

test('the first network has the default route, unless another one has priority', () => {
  const [a, b] = [endpoint('eth0'), endpoint('eth1')]
  assert.equal(gatewayEndpoint([a, b], 4), a)
  assert.equal(gatewayEndpoint([{ ...a, gatewayPriority: -1 }, b], 4), b)
  const c = endpoint('eth2', { gatewayPriority: 5 })
  assert.equal(gatewayEndpoint([a, c, b], 4), c)
  assert.equal(gatewayEndpoint([a, b], 6), undefined)
})

test('each family finds its own way out, and internal networks are none', () => {
  const inner = endpoint('eth0', { gateway: '' })
  const dual = endpoint('eth1', { ipv6Address: 'fd00::2', ipv6Gateway: 'fd00::1' })
  assert.deepEqual(defaultRoutes([inner, endpoint('eth2'), dual]), [
    { family: 4, link: 'eth2', via: '10.0.0.1' },
    { family: 6, link: 'eth1', via: 'fd00::1' },
  ])
  const routed = endpoint('eth3', { gateway: '', isRoutedOnLink: true })
  assert.deepEqual(defaultRoutes([routed]), [{ family: 4, link: 'eth3', via: undefined }])
})

const anyEndpoint = fc.record({
  link: fc.constantFrom('eth0', 'eth1', 'eth2'),
  gateway: fc.constantFrom('', '10.0.0.1', '10.1.0.1'),
  gatewayPriority: fc.integer({ min: -2, max: 2 }),
})
const endpoints = fc
  .uniqueArray(anyEndpoint, { selector: ({ link }) => link })
  .map((many) => many.map(({ link, ...change }) => endpoint(link, change)))

test('nothing has to be set when nothing changed, and what is set is what should be', () => {
  fc.assert(
    fc.property(endpoints, endpoints, (before, after) => {
      assert.deepEqual(changedRoutes(before, before), [])
      const wanted = defaultRoutes(after)
      for (const route of changedRoutes(before, after)) assert.ok(wanted.some((one) => one.link === route.link))
      const best = gatewayEndpoint(after, 4)
      for (const one of after) if (one.gateway !== '') assert.ok((best?.gatewayPriority ?? -9) >= one.gatewayPriority)
    }),
  )
})
