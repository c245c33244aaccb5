import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { parseSubnet, subnetContains } from './cidr.ts'
import { decideBetween, decideOutside, type Wish } from './decide.ts'
import { planPolicy } from './plan.ts'
import type { PolicedStack, PortRange } from './port.ts'
import { disjoint, minus, PROTOCOLS, regionsOf, type Region } from './regions.ts'

const STACKS = ['shop', 'bank', 'desk']
const SERVICES = ['web', 'db']

const somePorts: fc.Arbitrary<readonly PortRange[]> = fc.array(
  fc
    .record({
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      first: fc.integer({ min: 1, max: 9 }),
      more: fc.integer({ min: 0, max: 4 }),
    })
    .map(({ protocol, first, more }) => ({ protocol, first, last: first + more })),
  { maxLength: 4 },
)

const someFrom = fc.constantFrom('*', 'web', 'db', 'shop/*', 'bank/web', 'desk/db', 'nobody/*', 'shop/nothing')

/** All on one shared network: there the rules alone decide. */
const someStacks: fc.Arbitrary<readonly PolicedStack[]> = fc
  .tuple(
    ...STACKS.map((name, at) =>
      fc.record({
        name: fc.constant(name),
        rules: fc.record({
          inside: fc.constantFrom('allow' as const, 'deny' as const),
          allow: fc.array(
            fc.record({ from: fc.array(someFrom, { minLength: 1, maxLength: 3 }), to: fc.subarray(SERVICES), ports: somePorts }),
            { maxLength: 4 },
          ),
          egress: fc.array(
            fc.record({
              network: fc.constant('wire'),
              outside: fc.constantFrom('allow' as const, 'deny' as const),
              except: fc.array(
                fc.record({
                  to: fc.constantFrom('0.0.0.0/0', '203.0.113.0/24', '203.0.113.7', '203.0.0.0/16', 'fd00::/8'),
                  ports: somePorts,
                }),
                { maxLength: 4 },
              ),
            }),
            { maxLength: 1 },
          ),
          isLogged: fc.boolean(),
        }),
        networks: fc.constant([
          { key: 'wire', name: 'wire', bridge: 'gb-wire', subnets: ['10.9.0.0/16'], gateways: ['10.9.0.1'] },
        ]),
        services: fc.constant(
          SERVICES.map((service, number) => ({
            name: service,
            tasks: [2, 3].map((slot) => ({
              name: `${name}-${service}-${slot}`,
              addresses: { wire: [`10.9.${at * 10 + number}.${slot}`] },
            })),
          })),
        ),
      }),
    ),
  )
  .map((stacks) => stacks)

const someWish: fc.Arbitrary<Wish> = fc.oneof(
  fc.record({ protocol: fc.constantFrom('tcp' as const, 'udp' as const), port: fc.integer({ min: 1, max: 14 }) }),
  fc.constant({ protocol: 'other' as const, port: 0 }),
)

type Sets = ReadonlyMap<string, ReadonlyMap<string, string>>

/** What the kernel does with the first packet of a connection, by the same rules and sets. */
function kernelAllows(sets: Sets, packet: { from: string; to: string; isLeaving: boolean; wish: Wish }): boolean {
  const { from, to, wish } = packet
  const has = (set: string, key: string) => sets.get(set)?.has(key) === true
  const protocol = wish.protocol === 'other' ? PROTOCOLS.icmp : PROTOCOLS[wish.protocol]
  const inRegion = (set: string, prefix: string) =>
    [...(sets.get(set)?.keys() ?? [])].some(
      (key) => key.startsWith(prefix) && covers(key.slice(prefix.length), protocol, wish.port),
    )
  if (has('stacks4', from) && has('stacks4', to)) {
    if (inRegion('open4', `${to} . `)) return true
    return ['stacks4', 'services4'].some((map) => {
      const mark = (sets.get(map)?.get(from) ?? '').replace(' : ', '')
      return has('inside4', `${mark} . ${to}`) || inRegion('allowed4', `${mark} . ${to} . `)
    })
  }
  if (!has('stacks4', from) || !packet.isLeaving) return true
  const isListed = (set: string) =>
    [...(sets.get(set)?.keys() ?? [])].some((key) => {
      const [source = '', subnet = '', ...region] = key.split(' . ')
      const [outer, inner] = [parseSubnet(subnet), parseSubnet(to)]
      assert.ok(outer !== undefined && inner !== undefined)
      return source === from && subnetContains(outer, inner) && covers(region.join(' . '), protocol, wish.port)
    })
  if (isListed('outlets4')) return true
  return !has('shut4', from) && !isListed('barred4')
}

function covers(region: string, protocol: number, port: number): boolean {
  const [protocols = '', ports = ''] = region.split(' . ')
  const isIn = (span: string, value: number) => {
    const [first = '', last = first] = span.split('-')
    return Number(first) <= value && value <= Number(last)
  }
  return isIn(protocols, protocol) && isIn(ports, port)
}

const addressOf = (stack: string, service: string, slot: number) =>
  `10.9.${STACKS.indexOf(stack) * 10 + SERVICES.indexOf(service)}.${slot}`

test('property: between services the kernel lets pass exactly what the rules say', () => {
  fc.assert(
    fc.property(someStacks, someWish, (stacks, wish) => {
      const sets = planPolicy(stacks, new Map()).ruleset?.elements ?? assert.fail('there is somebody')
      for (const fromStack of STACKS)
        for (const fromService of SERVICES)
          for (const toStack of STACKS)
            for (const toService of SERVICES) {
              const [from, to] = [
                { stack: fromStack, service: fromService },
                { stack: toStack, service: toService },
              ]
              const packet = {
                from: addressOf(fromStack, fromService, 2),
                to: addressOf(toStack, toService, 3),
                isLeaving: false,
                wish,
              }
              const said = decideBetween(stacks, from, to, wish)
              assert.equal(
                kernelAllows(sets, packet),
                said.isAllowed,
                `${fromStack}/${fromService} to ${toStack}/${toService}: ${said.rule}`,
              )
            }
    }),
  )
})

test('property: outside the kernel lets pass exactly what egress says', () => {
  fc.assert(
    fc.property(
      someStacks,
      someWish,
      fc.constantFrom('203.0.113.7', '203.0.113.8', '203.0.7.7', '198.51.100.1'),
      (stacks, wish, to) => {
        const sets = planPolicy(stacks, new Map()).ruleset?.elements ?? assert.fail('there is somebody')
        for (const stack of STACKS) {
          const said = decideOutside(stacks, { stack, service: 'web' }, 'wire', to, wish)
          assert.equal(
            kernelAllows(sets, { from: addressOf(stack, 'web', 2), to, isLeaving: true, wish }),
            said.isAllowed,
            said.rule,
          )
        }
      },
    ),
  )
})

test('property: no two elements of an interval set share a packet, for the kernel would refuse them', () => {
  fc.assert(
    fc.property(someStacks, (stacks) => {
      const sets = planPolicy(stacks, new Map()).ruleset?.elements ?? assert.fail('there is somebody')
      for (const set of ['allowed4', 'open4', 'outlets4', 'barred4']) {
        const keys = [...(sets.get(set)?.keys() ?? [])].map((key) => key.split(' . '))
        for (const [at, one] of keys.entries())
          for (const other of keys.slice(at + 1)) assert.ok(!share(one, other), `${one.join(' . ')} and ${other.join(' . ')}`)
      }
    }),
  )
})

function share(one: readonly string[], other: readonly string[]): boolean {
  return one.every((field, at) => {
    const theirs = other[at] ?? ''
    if (!field.includes('/') || !theirs.includes('/')) {
      if (!/^\d+(-\d+)?$/.test(field)) return field === theirs
      const [[a = 0, b = a], [c = 0, d = c]] = [field.split('-').map(Number), theirs.split('-').map(Number)]
      return a <= d && c <= b
    }
    const [x, y] = [parseSubnet(field), parseSubnet(theirs)]
    return x !== undefined && y !== undefined && (subnetContains(x, y) || subnetContains(y, x))
  })
}

test('property: who has a number keeps it when others come and go', () => {
  fc.assert(
    fc.property(fc.subarray(STACKS), fc.subarray(STACKS), (first, second) => {
      const stacksNamed = (names: readonly string[]): PolicedStack[] =>
        names.map((name) => ({
          name,
          rules: { inside: 'allow', allow: [], egress: [], isLogged: false },
          networks: [],
          services: SERVICES.map((service) => ({ name: service, tasks: [] })),
        }))
      const before = planPolicy(stacksNamed(first), new Map()).numbers
      const { numbers } = planPolicy(stacksNamed(second), before)
      assert.equal(new Set(numbers.values()).size, numbers.size)
      for (const [name, number] of numbers) if (before.has(name)) assert.equal(number, before.get(name))
    }),
  )
})

test('property: cutting regions apart changes nothing of what they cover', () => {
  const covered = (regions: readonly Region[], protocol: number, port: number) =>
    regions.filter(
      ({ protocols, ports }) => protocols[0] <= protocol && protocol <= protocols[1] && ports[0] <= port && port <= ports[1],
    ).length
  fc.assert(
    fc.property(somePorts, somePorts, fc.constantFrom(1, 6, 17), fc.integer({ min: 0, max: 15 }), (a, b, protocol, port) => {
      const [one, other] = [regionsOf(a), regionsOf(b)]
      assert.equal(covered(disjoint(one), protocol, port), covered(one, protocol, port) > 0 ? 1 : 0)
      const isLeft = covered(one, protocol, port) > 0 && covered(other, protocol, port) === 0
      assert.equal(covered(minus(disjoint(one), other), protocol, port), isLeft ? 1 : 0)
    }),
  )
})
