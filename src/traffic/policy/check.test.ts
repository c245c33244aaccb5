import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readAttempts } from './attempts.ts'
import { checkPolicy } from './check.ts'
import { formatSubnet, parseSubnet } from './cidr.ts'
import { mayTalk } from './matrix.ts'
import { planPolicy } from './plan.ts'
import { PLAIN_RULES, type PolicedStack, type PolicyRules } from './port.ts'

const WIRE = { key: 'wire', name: 'wire', bridge: 'gb-wire', subnets: ['10.9.0.0/24'], gateways: ['10.9.0.1'] }

function stack(name: string, at: number, rules: Partial<PolicyRules> = {}): PolicedStack {
  const own = {
    key: 'default',
    name: `${name}_default`,
    bridge: `gb-${name}`,
    subnets: [`10.${at}.0.0/24`],
    gateways: [`10.${at}.0.1`],
  }
  const service = (service_: string, number: number) => ({
    name: service_,
    tasks: [
      {
        name: `${name}-${service_}-1`,
        addresses: {
          [own.name]: [`10.${at}.0.${number}`],
          ...(service_ === 'web' ? { wire: [`10.9.0.${at * 10 + number}`] } : {}),
        },
      },
    ],
  })
  return { name, rules: { ...PLAIN_RULES, ...rules }, networks: [own, WIRE], services: [service('web', 2), service('db', 3)] }
}

test('an answer names the rule that let it through', () => {
  const stacks = [
    stack('shop', 1),
    stack('bank', 2, { allow: [{ from: ['shop/web'], to: ['web'], ports: [{ protocol: 'tcp', first: 80, last: 90 }] }] }),
  ]
  assert.deepEqual(checkPolicy(stacks, 'shop/web', 'bank/web:85'), {
    from: 'shop/web',
    to: 'bank/web',
    protocol: 'tcp',
    port: 85,
    isAllowed: true,
    rule: 'rule 1 of bank: shop/web may reach web at tcp/80-90',
    networks: ['wire'],
  })
  assert.equal(checkPolicy(stacks, 'shop/web', 'bank/web:85/udp').isAllowed, false)
  assert.equal(checkPolicy(stacks, 'bank/web', 'shop/web:80').isAllowed, false)
  assert.equal(checkPolicy(stacks, 'shop-web-1', '10.9.0.22:80').to, 'bank/web')
})

test('services without a network in common cannot meet, whatever rules say', () => {
  const stacks = [stack('shop', 1), stack('bank', 2, { allow: [{ from: ['*'], to: [], ports: [] }] })]
  const answer = checkPolicy(stacks, 'shop/db', 'bank/db:5432')
  assert.equal(answer.isAllowed, false)
  assert.match(answer.rule, /no network in common/)
})

test('one way out is enough, and the answer names the networks that lead there', () => {
  const stacks = [stack('shop', 1, { egress: [{ network: 'wire', outside: 'deny', except: [] }] })]
  const answer = checkPolicy(stacks, 'shop/web', '203.0.113.7:443')
  assert.deepEqual([answer.isAllowed, answer.networks], [true, ['shop_default']])
})

test('who is meant must be clear', () => {
  const stacks = [stack('shop', 1), stack('bank', 2)]
  assert.throws(() => checkPolicy(stacks, 'web', 'shop/db:1'), { code: 'policy.invalid_party', message: /shop\/web, bank\/web/ })
  assert.throws(() => checkPolicy(stacks, 'shop/cache', 'shop/db:1'), { code: 'policy.unknown_party' })
  for (const target of ['', 'shop/db:0', 'shop/db:65536', 'shop/db:1/icmp', 'a:b:c'])
    assert.throws(() => checkPolicy(stacks, 'shop/web', target), { code: 'policy.invalid_party' })
})

test('the table tells whole applications in one line, and rules by the services they join', () => {
  const lines = mayTalk([
    stack('shop', 1),
    stack('bank', 2, { inside: 'deny', allow: [{ from: ['shop/web', 'web'], to: ['db'], ports: [] }] }),
  ])
  assert.deepEqual(
    lines.filter(({ to }) => !to.startsWith('outside')).map(({ from, to, ports }) => `${from} ${to} ${ports}`),
    ['shop/* shop/* every port', 'bank/* bank/* only by rules', 'shop/web bank/db every port', 'bank/web bank/db every port'],
  )
})

test('refused attempts are read as nft prints them, and told by the names of services', () => {
  const listing = `elements = { 10.1.0.2 . 10.2.0.3 . tcp . 5432 counter packets 3 bytes 180 expires 59m57s,
    10.1.0.2 . 203.0.113.7 . icmp . 8 timeout 1h expires 9m counter packets 7 bytes 588, fd00::2 . fd00::3 . ipv6-icmp . 128 counter packets 1 bytes 9 }`
  assert.deepEqual(readAttempts(listing, [stack('shop', 1), stack('bank', 2)]), [
    { from: 'shop/web', to: '203.0.113.7', protocol: 'icmp', port: 0, packets: 7 },
    { from: 'shop/web', to: 'bank/db', protocol: 'tcp', port: 5432, packets: 3 },
    { from: 'fd00::2', to: 'fd00::3', protocol: 'icmp', port: 0, packets: 1 },
  ])
})

test('subnets are read in every way they are written', () => {
  const told = (text: string) => {
    const subnet = parseSubnet(text)
    return subnet === undefined ? undefined : formatSubnet(subnet)
  }
  assert.equal(told('203.0.113.77/24'), '203.0.113.0/24')
  assert.equal(told('203.0.113.77'), '203.0.113.77/32')
  assert.equal(told('fd00::1/8'), 'fd00:0000:0000:0000:0000:0000:0000:0000/8')
  assert.equal(told('::ffff:192.0.2.1'), '0000:0000:0000:0000:0000:ffff:c000:0201/128')
  assert.equal(told('::'), '0000:0000:0000:0000:0000:0000:0000:0000/128')
  assert.equal(told('fe80::1%eth0'), undefined)
  assert.equal(told('web'), undefined)
})

test('services of no application are told of, and decided about by nobody', () => {
  const lone = { name: 'lone', networks: ['wire'], tasks: [] }
  const loose: PolicedStack = { name: '', isLoose: true, rules: PLAIN_RULES, networks: [WIRE], services: [lone] }
  const stacks = [stack('shop', 1), loose]
  for (const [from, to] of [
    ['lone', 'shop/web:80'],
    ['shop/web', 'lone:80'],
  ] as const) {
    const answer = checkPolicy(stacks, from, to)
    assert.deepEqual([answer.isAllowed, answer.networks], [true, ['wire']])
    assert.match(answer.rule, /^lone belongs to no application/)
  }
  assert.match(checkPolicy(stacks, 'lone', 'shop/db:80').rule, /no network in common/)
  assert.deepEqual(
    mayTalk(stacks)
      .map(({ from, to }) => `${from} ${to}`)
      .filter((line) => line.includes('lone')),
    ['lone everybody on wire'],
  )
})

test('what belongs to no application is in no set of the kernel', () => {
  const loose = { ...stack('x', 3), name: '', isLoose: true }
  assert.deepEqual(planPolicy([stack('shop', 1), loose], new Map()), planPolicy([stack('shop', 1)], new Map()))
  assert.equal(planPolicy([loose], new Map()).ruleset, null)
})

test('refused attempts of several tasks of a service are one line', () => {
  const listing = `10.1.0.2 . 10.2.0.2 . tcp . 80 counter packets 3 bytes 180, 10.9.0.12 . 10.9.0.22 . tcp . 80 counter packets 4 bytes 9`
  assert.deepEqual(readAttempts(listing, [stack('shop', 1), stack('bank', 2)]), [
    { from: 'shop/web', to: 'bank/web', protocol: 'tcp', port: 80, packets: 7 },
  ])
})
