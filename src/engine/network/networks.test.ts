import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { GloveboxError, memoryRecords, seededRandom, silentLog, virtualClock } from '#base'
import type { ContainerId } from '#base'
import { fakeHost } from '#host'

import type { networkError } from './errors.ts'
import { createNetworks } from './networks.ts'
import { findNetwork } from './state.ts'

const runDir = mkdtempSync(join(tmpdir(), 'glovebox-networks-'))
after(() => rmSync(runDir, { recursive: true, force: true }))

const id = (digit: string) => digit.repeat(64) as ContainerId

async function engine(options: Parameters<typeof fakeHost>[0] = {}) {
  const host = fakeHost(options)
  const clock = virtualClock()
  const records = memoryRecords()
  const open = () =>
    createNetworks({
      runDir,
      instance: 'unit',
      clock,
      random: seededRandom(7),
      log: silentLog(),
      records,
      host,
      readResolvConf: () => 'nameserver 10.0.0.1\n',
    })
  const networks = open()
  await networks.recover({ pidOf: () => null })
  return { host, clock, networks, open }
}

const attach = (containerId: ContainerId, network: string, containerName = 'web') => ({ containerId, containerName, network })

test('bridge, host and none are there from the start and stay', async () => {
  const { networks } = await engine()
  assert.deepEqual(
    networks.list().map(({ name, driver, isPredefined }) => [name, driver, isPredefined]),
    [
      ['bridge', 'bridge', true],
      ['host', 'host', true],
      ['none', 'null', true],
    ],
  )
  await assert.rejects(networks.remove('bridge'), { code: 'network.predefined' })
})

test('a bridge is made with its first container and not before', async () => {
  const { networks, host } = await engine()
  const network = networks.create({ name: 'front' })
  const bridges = () => host.calls.filter(({ name }) => name === 'links.createBridge').length
  assert.equal(bridges(), 0)
  networks.sandboxCreate(id('a'))
  const endpoint = await networks.attach(attach(id('a'), 'bridge'))
  assert.equal(bridges(), 1)
  assert.deepEqual(
    [endpoint.ipAddress, endpoint.gateway, endpoint.guestLink, endpoint.dnsNames],
    ['172.18.0.2', '172.18.0.1', 'eth0', []],
  )
  await networks.remove(network.name)
  assert.equal(networks.find('front'), undefined)
})

test('a wish that cannot be granted is refused by name', async () => {
  const { networks } = await engine()
  networks.create({ name: 'front' })
  for (const [spec, code] of [
    [{ name: 'front' }, 'network.name_in_use'],
    [{ name: '-x' }, 'network.invalid'],
    [{ name: 'x', driver: 'overlay' }, 'network.unsupported'],
    [{ name: 'x', driver: 'host' }, 'network.predefined'],
    [{ name: 'x', options: { 'com.example.speed': 'high' } }, 'network.unsupported'],
    [{ name: 'x', options: { 'com.docker.network.driver.mtu': 'big' } }, 'network.invalid'],
    [{ name: 'x', hasIpv4: false }, 'network.invalid'],
  ] as const)
    assert.throws(() => networks.create(spec), { code })
})

test('a network in use is not removed, and the message says by whom', async () => {
  const { networks } = await engine()
  networks.create({ name: 'front' })
  networks.sandboxCreate(id('a'))
  await networks.attach(attach(id('a'), 'front'))
  await assert.rejects(networks.remove('front'), { code: 'network.in_use', message: /active endpoints: web/ })
  await assert.rejects(networks.attach(attach(id('a'), 'front')), { code: 'network.already_attached' })
  await networks.sandboxRemove(id('a'))
  await networks.remove('front')
})

test('a container that comes back gets its address again, another one the next', async () => {
  const { networks } = await engine()
  const start = async (containerId: ContainerId) => {
    networks.sandboxCreate(containerId)
    return (await networks.attach(attach(containerId, 'bridge'))).ipAddress
  }
  assert.equal(await start(id('a')), '172.18.0.2')
  await networks.sandboxRemove(id('a'))
  assert.equal(await start(id('b')), '172.18.0.3')
  assert.equal(await start(id('a')), '172.18.0.2')
})

test('a failed attachment leaves no endpoint and no address behind', async () => {
  const { networks, host } = await engine()
  networks.sandboxCreate(id('a'))
  host.failNext('links.attachContainer', new GloveboxError('host.link_failed', 'internal', 'planted'))
  await assert.rejects(networks.attach(attach(id('a'), 'bridge')), /planted/)
  assert.deepEqual(networks.endpointsOf(id('a')), [])
  host.failNext('nftables.apply', new GloveboxError('host.nftables_failed', 'internal', 'planted too'))
  networks.create({ name: 'front' })
  await assert.rejects(
    networks.attach(attach(id('a'), 'front')),
    /attach web to network front: firewall of network front: planted too/,
  )
  assert.deepEqual(networks.endpointsOf(id('a')), [])
  assert.equal(host.links.listLinks().filter(({ kind }) => kind === 'veth').length, 0)
})

test('ports are all or none, and removed several at a time', async () => {
  const { networks, host, clock } = await engine()
  const web = { containerPort: 80, protocol: 'tcp' as const, hostIp: '', hostPort: { first: 8080, last: 8080 } }
  for (const digit of ['a', 'b', 'c']) {
    networks.sandboxCreate(id(digit))
    await networks.attach(attach(id(digit), 'bridge', `web-${digit}`))
  }
  await networks.publish(id('a'), [web])
  const second = { ...web, hostPort: { first: 8081, last: 8081 } }
  await assert.rejects(networks.publish(id('b'), [second, web]), {
    code: 'network.port_in_use',
    message: /published by container web-a/,
  })
  assert.deepEqual(networks.publishedPorts(id('b')), [])
  await networks.publish(id('b'), [second])
  const before = host.calls.filter(({ name }) => name === 'nftables.apply').length
  networks.unpublish(id('a'))
  networks.unpublish(id('b'))
  await clock.advance(100)
  const scripts = host.calls.filter(({ name }) => name === 'nftables.apply').slice(before)
  assert.equal(scripts.length, 1)
  assert.match(String(scripts[0]?.args[0]), /^delete element inet \S+ any4 \{ tcp \. 8080, tcp \. 8081 \}\n$/)
  await networks.publish(id('c'), [web])
})

test('a port that is published again at once is deleted and added in one transaction', async () => {
  const { networks, host } = await engine()
  const web = { containerPort: 80, protocol: 'tcp' as const, hostIp: '', hostPort: { first: 8080, last: 8080 } }
  for (const digit of ['a', 'b']) {
    networks.sandboxCreate(id(digit))
    await networks.attach(attach(id(digit), 'bridge'))
  }
  await networks.publish(id('a'), [web])
  networks.unpublish(id('a'))
  await networks.publish(id('b'), [web])
  const last = String(host.calls.findLast(({ name }) => name === 'nftables.apply')?.args[0])
  assert.match(last, /^delete element .*\nadd element .* tcp \. 8080 : 172\.18\.0\.3 \. 80 \}\n$/)
})

test('a subnet that another daemon took meanwhile is chosen anew for a network that nobody uses', async () => {
  const routes = [{ family: 4 as const, destination: '172.18.0.0/16', via: undefined, linkIndex: 77, metric: 0 }]
  const taken: typeof routes = []
  const { networks } = await engine({ routes: taken })
  assert.equal(networks.get('bridge').subnets[0]?.subnet, '172.18.0.0/16')
  const chosen = networks.create({ name: 'chosen', subnets: [{ subnet: '172.18.0.0/24' }].slice(1) })
  networks.create({ name: 'fixed', subnets: [{ subnet: '10.8.0.0/24' }] })
  taken.push(...routes, { family: 4, destination: '10.8.0.0/16', via: undefined, linkIndex: 78, metric: 0 })
  networks.sandboxCreate(id('a'))
  const endpoint = await networks.attach(attach(id('a'), 'bridge'))
  assert.equal(endpoint.ipAddress, '172.20.0.2')
  assert.equal(chosen.subnets[0]?.subnet, '172.19.0.0/16')
  await assert.rejects(networks.attach(attach(id('a'), 'fixed')), {
    code: 'network.subnet_in_use',
    message: /link unknown of this host/,
  })
})

test('a restart keeps what runs and sweeps the rest', async () => {
  const { networks, host, open } = await engine()
  for (const digit of ['a', 'b']) {
    networks.sandboxCreate(id(digit))
    await networks.attach(attach(id(digit), 'bridge', `web-${digit}`))
  }
  await networks.publish(id('a'), [{ containerPort: 80, protocol: 'tcp', hostIp: '', hostPort: null }])
  await networks.shutdown({ remove: false })
  const again = open()
  await again.recover({ pidOf: (container) => (container === id('a') ? 42 : null) })
  assert.deepEqual(again.endpointsOf(id('a')), networks.endpointsOf(id('a')))
  assert.deepEqual(again.publishedPorts(id('a')), networks.publishedPorts(id('a')))
  assert.equal(again.sandboxPath(id('b')), undefined)
  assert.deepEqual([...host.network.pins], [again.sandboxPath(id('a'))])
  assert.equal(host.links.listLinks().filter(({ kind }) => kind === 'veth').length, 1)
})

test('a closed FORWARD chain of another firewall lets our bridges pass, also one of another name, until we are gone', async () => {
  const chain = { family: 4, backend: 'legacy', name: 'DOCKER-USER', isDrop: true, allowed: [] } as const
  const { networks, host } = await engine({ forwardChains: [chain, { ...chain, family: 6, isDrop: false }] })
  networks.create({ name: 'named', options: { 'com.docker.network.bridge.name': 'br-mine' } })
  networks.sandboxCreate(id('a'))
  for (const network of ['bridge', 'named']) await networks.attach(attach(id('a'), network))
  const allowed = async () => (await host.forwarding.chains()).map((one) => one.allowed.length)
  assert.deepEqual(await allowed(), [2, 0])
  assert.ok((await host.forwarding.chains())[0]?.allowed.includes('br-mine'))
  await networks.sandboxRemove(id('a'))
  await networks.shutdown({ remove: true })
  assert.deepEqual(await allowed(), [0, 0])
})

test('an id is found by its beginning, if only one begins so', () => {
  const network = { id: 'abc1', name: 'n' } as Parameters<typeof findNetwork>[0][number]
  const other = { id: 'abd2', name: 'abc' } as typeof network
  assert.equal(findNetwork([network, other], 'abc'), other)
  assert.equal(findNetwork([network, other], 'abc1'), network)
  assert.throws(() => findNetwork([network, other], 'ab'), {
    code: 'network.ambiguous' satisfies keyof typeof networkError.codes,
  })
  assert.equal(findNetwork([network, other], ''), undefined)
})
