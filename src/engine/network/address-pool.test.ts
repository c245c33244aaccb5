import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import {
  chooseSubnet,
  DEFAULT_POOLS,
  ipv6Pool,
  macOfIpv4,
  nextAddress,
  planSubnets,
  poolUse,
  readAddressPool,
  wantedAddress,
} from './address-pool.ts'
import type { SubnetPlanInput } from './address-pool.ts'
import type { Cidr } from './cidr.ts'
import { addressBits, contains, formatCidr, formatIp, includes, overlaps, parseCidr, parseIp } from './cidr.ts'
import type { Subnet, SubnetSpec } from './port.ts'

const pools = { 4: DEFAULT_POOLS, 6: [ipv6Pool('abcdef0123')] }

function plan(change: Partial<SubnetPlanInput> & { readonly takenTexts?: readonly string[] } = {}): readonly Subnet[] {
  const { takenTexts = [], ...rest } = change
  const taken = takenTexts.map((text) => ({ cidr: parseCidr(text, 'taken'), owner: 'link eth9 of this host' }))
  return planSubnets({ networkName: 'web', specs: [], hasIpv4: true, hasIpv6: false, pools, taken, ...rest })
}

const cidr = fc
  .oneof(
    fc.tuple(fc.constant(4 as const), fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), fc.nat(32)),
    fc.tuple(fc.constant(6 as const), fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.nat(128)),
  )
  .map(([family, address, prefix]) => parseCidr(`${formatIp(family, address)}/${prefix}`, 'test'))

test('a range is written and read back, and holds its own first and last address', () => {
  fc.assert(
    fc.property(cidr, (range) => {
      assert.deepEqual(parseCidr(formatCidr(range), 'test'), range)
      const last = range.base + (1n << BigInt(addressBits(range.family) - range.prefixLength)) - 1n
      assert.ok(includes(range, range.base) && includes(range, last) && !includes(range, last + 1n))
      assert.ok(contains(range, range) && overlaps(range, range))
    }),
  )
})

test('the chosen subnet touches nothing that is taken (safety), and one is found while a pool has room (liveness)', () => {
  fc.assert(
    fc.property(fc.array(cidr, { maxLength: 8 }), (taken) => {
      const chosen = chooseSubnet(DEFAULT_POOLS, taken)
      if (chosen !== undefined) assert.ok(!taken.some((other) => overlaps(other, chosen)))
      else assert.ok(taken.some(({ family, prefixLength }) => family === 4 && prefixLength < 16))
    }),
  )
})

test('the first network gets 172.18.0.0/16, the next one another, and the end of all pools is said with a way out', () => {
  assert.deepEqual(plan()[0], {
    family: 4,
    subnet: '172.18.0.0/16',
    gateway: '172.18.0.1',
    ipRange: null,
    auxiliaryAddresses: {},
    isAutomatic: true,
  })
  assert.equal(plan({ takenTexts: ['172.18.5.0/24', '172.19.0.0/16'] })[0]?.subnet, '172.20.0.0/16')
  assert.equal(plan({ takenTexts: ['172.16.0.0/12'] })[0]?.subnet, '192.168.0.0/20')
  assert.throws(() => plan({ takenTexts: ['172.16.0.0/12', '192.168.0.0/16'] }), {
    code: 'network.pools_exhausted',
    message: /14 networks of \/16 from 172\.18\.0\.0, 16 networks of \/20 from 192\.168\.0\.0/,
    hint: /--subnet/,
  })
})

test('an explicit subnet is taken as it is, and refused with the name of what it overlaps', () => {
  const specs: readonly SubnetSpec[] = [
    { subnet: '10.5.0.0/24', gateway: '10.5.0.254', ipRange: '10.5.0.128/25', auxiliaryAddresses: { router: '10.5.0.2' } },
  ]
  assert.deepEqual(plan({ specs })[0], {
    family: 4,
    subnet: '10.5.0.0/24',
    gateway: '10.5.0.254',
    ipRange: '10.5.0.128/25',
    auxiliaryAddresses: { router: '10.5.0.2' },
    isAutomatic: false,
  })
  assert.throws(() => plan({ specs, takenTexts: ['10.0.0.0/8'] }), {
    code: 'network.subnet_in_use',
    message: /10\.5\.0\.0\/24 overlaps 10\.0\.0\.0\/8 of link eth9/,
  })
  const bad: readonly (readonly [SubnetSpec, RegExp])[] = [
    [{ subnet: '10.5.0.0' }, /no prefix length/],
    [{ subnet: 'ten/8' }, /not an IP address/],
    [{ subnet: '10.5.0.0/31' }, /between 8 and 30/],
    [{ subnet: '10.5.0.0/24', gateway: '10.6.0.1' }, /gateway 10\.6\.0\.1 is not a host address/],
    [{ subnet: '10.5.0.0/24', ipRange: '10.6.0.0/25' }, /lies outside/],
    [{ gateway: '10.5.0.1' }, /need a subnet/],
    [{ subnet: 'fd00::/64' }, /IPv6 is off/],
  ]
  for (const [spec, message] of bad) assert.throws(() => plan({ specs: [spec] }), { code: 'network.invalid', message })
})

test('IPv6 gets a /64 of the instance beside IPv4', () => {
  assert.deepEqual(
    plan({ hasIpv6: true }).map(({ subnet, gateway }) => [subnet, gateway]),
    [
      ['172.18.0.0/16', '172.18.0.1'],
      ['fdab:cdef:123::/64', 'fdab:cdef:123::1'],
    ],
  )
})

const subnet: Subnet = {
  family: 4,
  subnet: '10.9.0.0/29',
  gateway: '10.9.0.1',
  ipRange: null,
  auxiliaryAddresses: { printer: '10.9.0.5' },
  isAutomatic: false,
}
const value = (text: string) => parseIp(text, 'test').value

test('addresses are given out in turn, each once, never a reserved one, until none is left', () => {
  const used = new Set<bigint>()
  const given: string[] = []
  let cursor: bigint | undefined
  for (;;) {
    const next = nextAddress(subnet, used, cursor)
    if (next === undefined) break
    used.add(next)
    cursor = next
    given.push(formatIp(4, next))
  }
  assert.deepEqual(given, ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.6'])
  used.delete(value('10.9.0.3'))
  assert.equal(nextAddress(subnet, used, cursor), value('10.9.0.3'))
})

test('whatever is used, the next address is free and inside (safety), and there is one while there is room (liveness)', () => {
  const hosts = [2, 3, 4, 6].map((last) => value(`10.9.0.${last}`))
  fc.assert(
    fc.property(fc.subarray(hosts), fc.option(fc.constantFrom(...hosts), { nil: undefined }), (taken, cursor) => {
      const next = nextAddress(subnet, new Set(taken), cursor)
      if (taken.length === hosts.length) assert.equal(next, undefined)
      else assert.ok(next !== undefined && hosts.includes(next) && !taken.includes(next))
    }),
  )
})

test('a wanted address must be a free host address', () => {
  assert.equal(wantedAddress(subnet, '10.9.0.3', new Set(), 'web'), value('10.9.0.3'))
  assert.throws(() => wantedAddress(subnet, '10.9.0.3', new Set([value('10.9.0.3')]), 'web'), { code: 'network.address_in_use' })
  assert.throws(() => wantedAddress(subnet, '10.9.0.1', new Set(), 'web'), { code: 'network.address_in_use' })
  for (const text of ['10.9.0.0', '10.9.0.7', '10.9.1.1', 'fd00::1']) {
    assert.throws(() => wantedAddress(subnet, text, new Set(), 'web'), { code: 'network.invalid' }, text)
  }
})

test('a MAC follows from the address as with Docker', () => {
  assert.equal(macOfIpv4(value('172.18.0.2')), '02:42:ac:12:00:02')
})

test('pools are written as for Docker, and are cut into their subnets', () => {
  const pool = readAddressPool('base=10.20.0.0/16,size=24')
  assert.deepEqual(pool, { first: '10.20.0.0', prefixLength: 24, count: 256 })
  assert.equal(readAddressPool('base=fd12::/32,size=64').count, 65_536)
  for (const text of ['', '10.0.0.0/8', 'base=10.0.0.0/16,size=8', 'base=10.0.0.0/16,size=31', 'base=x,size=24'])
    assert.throws(() => readAddressPool(text), { code: 'network.invalid' }, text)
  const chosen: Cidr[] = []
  for (let next = chooseSubnet([pool], chosen); next !== undefined; next = chooseSubnet([pool], chosen)) chosen.push(next)
  assert.equal(chosen.length, 256)
  assert.equal(formatCidr(chosen.at(-1) ?? assert.fail()), '10.20.255.0/24')
})

test('the use of the pools is counted as their subnets are chosen', () => {
  const pool = readAddressPool('base=10.20.0.0/28,size=30')
  const cidr = (text: string) => parseCidr(text, 'test')
  assert.deepEqual([poolUse([pool], []).used, poolUse([pool], []).total], [0, 4])
  assert.equal(poolUse([pool], [cidr('10.20.0.0/24'), cidr('10.21.0.0/24'), cidr('fd00::/64')]).used, 4)
  assert.equal(poolUse([pool], [cidr('10.20.0.4/30'), cidr('10.20.0.5/32'), cidr('10.19.255.0/24')]).used, 1)
  const chosen: Cidr[] = []
  for (let next = chooseSubnet([pool], chosen); next !== undefined; next = chooseSubnet([pool], chosen)) {
    chosen.push(next)
    assert.equal(poolUse([pool], chosen).used, chosen.length)
  }
})
