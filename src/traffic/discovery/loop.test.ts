import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLog, virtualClock } from '#base'

import { startDiscovery } from './loop.ts'
import type { DiscoveredService, DiscoveredTask } from './port.ts'

const NETWORK = { id: 'n', name: 'front' }

function aTask(id: string, isReady = true, isRunning = true): DiscoveredTask {
  return { id, isRunning, isReady, addresses: { front: [`10.0.0.${id}`] } }
}

function web(...tasks: readonly DiscoveredTask[]): DiscoveredService {
  return { stack: 'shop', name: 'web', endpointMode: 'vip', networks: [{ name: 'front', aliases: [] }], tasks }
}

function fixture() {
  const world = {
    services: [] as readonly DiscoveredService[],
    scripts: [] as string[],
    forgotten: [] as (readonly [readonly string[], string])[],
    reserved: new Map<string, string>(),
    /** Holds transactions back until it resolves. */
    gate: Promise.resolve(),
    canReserve: true,
  }
  const clock = virtualClock()
  const listeners = new Set<() => void>()
  const change = () => {
    for (const listener of listeners) listener()
  }
  const discovery = startDiscovery({
    clock,
    log: silentLog(),
    table: 't',
    source: {
      services: async () => world.services,
      listen: (changed) => {
        listeners.add(changed)
        return { [Symbol.dispose]: () => void listeners.delete(changed) }
      },
    },
    networks: {
      reserve: (network, owner) => {
        if (!world.canReserve) throw new Error('the pool is empty')
        world.reserved.set(owner, network)
        return { networkId: 'n', bridge: 'gb-front', ipv4: '10.0.0.128', ipv6: '' }
      },
      release: (_, owner) => void world.reserved.delete(owner),
      reservations: () => [...world.reserved.keys()].map((owner) => ({ networkId: 'n', owner })),
      idOf: (name) => (name === 'front' ? 'n' : undefined),
      seesNeighbours: () => true,
      forget: (addresses, which) => void world.forgotten.push([addresses, which]),
    },
    nft: {
      apply: async (script) => {
        await world.gate
        world.scripts.push(script)
      },
      tables: async () => ['t'],
      deleteTable: async () => void world.scripts.push('delete'),
      list: async () => undefined,
    },
  })
  const ask = (name: string) => discovery.names().resolve({ stack: null, networks: [NETWORK], name })
  const settle = async () => {
    using _none = await discovery.withdraw('nobody')
  }
  return { world, change, discovery, ask, settle, clock }
}

test('an address is told only once the kernel answers for it; until then the name leads to the tasks', async () => {
  const { world, discovery, ask, settle } = fixture()
  const { promise, resolve } = Promise.withResolvers<void>()
  world.gate = promise
  world.services = [web(aTask('2'))]
  const settled = settle()
  await new Promise((done) => setImmediate(done))
  assert.deepEqual(ask('web'), ['10.0.0.2'])
  resolve()
  await settled
  assert.deepEqual(ask('web'), ['10.0.0.128'])
  await discovery[Symbol.asyncDispose]()
})

test('a task that is withdrawn gets nothing new until its end, and again if it comes back', async () => {
  const { world, discovery, ask } = fixture()
  world.services = [web(aTask('2'), aTask('3'))]
  {
    using _withdrawn = await discovery.withdraw('2')
    assert.deepEqual(ask('tasks.web'), ['10.0.0.3'])
    assert.match(world.scripts.at(-1) ?? '', /10\.0\.0\.128 \. 0 : 10\.0\.0\.3/)
    assert.doesNotMatch(world.scripts.at(-1) ?? '', /: 10\.0\.0\.2/)
  }
  await discovery.withdraw('nobody')
  assert.deepEqual(ask('tasks.web'), ['10.0.0.2', '10.0.0.3'])
  await discovery[Symbol.asyncDispose]()
})

test('connections to a task that is gone are forgotten after new ones go elsewhere; of one that lives only UDP', async () => {
  const { world, discovery, settle } = fixture()
  world.services = [web(aTask('2'), aTask('3'), aTask('4'))]
  await settle()
  world.services = [web(aTask('2', false), aTask('3', false, false), aTask('4'))]
  await settle()
  assert.deepEqual(world.forgotten, [
    [['10.0.0.3'], 'all'],
    [['10.0.0.2'], 'udp'],
  ])
  await discovery[Symbol.asyncDispose]()
})

test('with the service its address is given back and the table goes', async () => {
  const { world, discovery, ask, settle } = fixture()
  world.services = [web(aTask('2'))]
  await settle()
  assert.deepEqual([...world.reserved.keys()], ['service shop/web'])
  world.services = []
  await settle()
  assert.equal(world.reserved.size, 0)
  assert.equal(world.scripts.at(-1), 'delete')
  assert.equal(ask('web'), undefined)
  await discovery[Symbol.asyncDispose]()
})

test('a network without a free address leaves the name with those of the tasks', async () => {
  const { world, discovery, ask, settle } = fixture()
  world.canReserve = false
  world.services = [web(aTask('2'), aTask('3', false))]
  await settle()
  assert.deepEqual(ask('web'), ['10.0.0.2'])
  await discovery[Symbol.asyncDispose]()
})

test('what nftables refuses is tried again', async () => {
  const { world, discovery, ask, settle, clock } = fixture()
  world.services = [web(aTask('2'))]
  world.gate = Promise.reject(new Error('nft says no'))
  world.gate.catch(() => undefined)
  await settle()
  assert.deepEqual(ask('web'), ['10.0.0.2'])
  world.gate = Promise.resolve()
  clock.advance(1000)
  for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done))
  assert.deepEqual(ask('web'), ['10.0.0.128'])
  await discovery[Symbol.asyncDispose]()
})

test('a name is rid of who ended while the kernel is still busy with an earlier change', async () => {
  const { world, discovery, ask, settle, change } = fixture()
  world.services = [web(aTask('2'), aTask('3'))]
  await settle()
  const { promise, resolve } = Promise.withResolvers<void>()
  world.gate = promise
  world.services = [web(aTask('2'), aTask('3'), aTask('4'))]
  change()
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done))
  world.services = [web(aTask('2', false), aTask('3'), aTask('4'))]
  change()
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done))
  assert.deepEqual(ask('tasks.web'), ['10.0.0.3', '10.0.0.4'])
  resolve()
  await discovery[Symbol.asyncDispose]()
})
