import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { serviceIndex } from './names.ts'
import { backendsIn, backendsInListing, bindingsOf, familyOf, forgottenBy, obsolete, ownerOf, planTable } from './plan.ts'
import type { DiscoveredService, VirtualAddress } from './port.ts'

const NETWORKS = ['front', 'back', 'wire']
const idOf = (name: string) => (NETWORKS.includes(name) ? `id-${name}` : undefined)

/** As the networks give them: no two services share one, and `wire` has none. */
function virtualOf(services: readonly DiscoveredService[]) {
  return (service: DiscoveredService, network: string): VirtualAddress | undefined => {
    if (network === 'wire') return undefined
    const at = services.indexOf(service) + 1
    const net = NETWORKS.indexOf(network)
    return {
      networkId: `id-${network}`,
      bridge: `gb-${network}`,
      ipv4: `10.${net}.128.${at}`,
      ipv6: net === 0 ? `fd00::${net}:80:${at}` : '',
    }
  }
}

const someServices: fc.Arbitrary<readonly DiscoveredService[]> = fc
  .array(
    fc.record({
      stack: fc.constantFrom('shop', 'bank', null),
      name: fc.constantFrom('web', 'db', 'queue'),
      endpointMode: fc.constantFrom('vip' as const, 'dnsrr' as const),
      networks: fc.subarray(NETWORKS, { minLength: 1 }),
      tasks: fc.array(fc.record({ isRunning: fc.boolean(), isReady: fc.boolean() }), { maxLength: 6 }),
    }),
    { maxLength: 6 },
  )
  .map((drafts) => {
    const once = drafts.filter(
      (draft, at) => drafts.findIndex((one) => one.stack === draft.stack && one.name === draft.name) === at,
    )
    return once.map(({ networks, tasks, ...service }, at) => ({
      ...service,
      networks: networks.map((name) => ({ name, aliases: [`${service.name}-too`] })),
      tasks: tasks.map(({ isRunning, isReady }, number) => ({
        id: `${at}-${number}`,
        isRunning,
        isReady: isReady && isRunning,
        addresses: Object.fromEntries(
          networks.map((name) => {
            const net = NETWORKS.indexOf(name)
            const v4 = `10.${net}.${at}.${number + 2}`
            return [name, net === 0 ? [v4, `fd00::${at}:${number + 2}`] : [v4]]
          }),
        ),
      })),
    }))
  })

const planned = (services: readonly DiscoveredService[]) => {
  const bindings = bindingsOf(services, idOf, virtualOf(services))
  return { bindings, ruleset: planTable(bindings, { seesNeighbours: true }) }
}

const addressesOf = (services: readonly DiscoveredService[], isMeant: (task: DiscoveredService['tasks'][number]) => boolean) =>
  new Set(services.flatMap(({ tasks }) => tasks.filter(isMeant).flatMap(({ addresses }) => Object.values(addresses).flat())))

test('property: no rule names a task that is not ready', () => {
  fc.assert(
    fc.property(someServices, (services) => {
      const { ruleset } = planned(services)
      const ready = addressesOf(services, ({ isReady }) => isReady)
      for (const address of backendsIn(ruleset?.elements ?? new Map())) assert.ok(ready.has(address), address)
      for (const set of ['self4', 'self6'])
        for (const key of ruleset?.elements.get(set)?.keys() ?? []) assert.ok(ready.has(key.split(' . ')[0] ?? ''), key)
    }),
  )
})

test('property: each ready task of a service with an address of its own has exactly one slot, and every slot is chosen from', () => {
  fc.assert(
    fc.property(someServices, (services) => {
      const { bindings, ruleset } = planned(services)
      for (const { virtual, bridge, backends } of bindings)
        for (const address of virtual) {
          const family = familyOf(address)
          const behind = backends.filter((one) => familyOf(one) === family)
          const slots = [...(ruleset?.elements.get(`slots${family}`) ?? [])].filter(([key]) => key.startsWith(`${address} . `))
          assert.deepEqual(new Set(slots.map(([, value]) => value.slice(3))), new Set(behind))
          assert.deepEqual(new Set(slots.map(([key]) => Number(key.split(' . ')[1]))), new Set(behind.map((_, at) => at)))
          const chain = behind.length === 0 ? 'none' : `of_${behind.length}`
          assert.equal(ruleset?.elements.get(`sizes${family}`)?.get(`"${bridge}" . ${address}`), ` : goto ${chain}`)
          assert.ok(ruleset?.chains.has(chain))
        }
    }),
  )
})

test('property: no name is answered with a task that is not ready, and tasks.NAME with all that are', () => {
  fc.assert(
    fc.property(someServices, (services) => {
      const { bindings } = planned(services)
      const index = serviceIndex(bindings)
      const virtual = new Set(bindings.flatMap((one) => one.virtual))
      const ready = addressesOf(services, ({ isReady }) => isReady)
      for (const { stack, name, networks, tasks } of services)
        for (const { name: network } of networks) {
          const ask = (text: string) => index.resolve({ stack, networks: [{ id: `id-${network}`, name: network }], name: text })
          for (const text of [name, `tasks.${name}`, `${name}-too`, `${name}.${network}`])
            for (const address of ask(text) ?? assert.fail(`${text} is unknown`))
              assert.ok(virtual.has(address) || ready.has(address))
          if (stack === null) continue
          const own = tasks.filter(({ isReady }) => isReady).flatMap(({ addresses }) => addresses[network] ?? [])
          assert.deepEqual(new Set(ask(`tasks.${name}`)), new Set(own))
        }
    }),
  )
})

test('property: what was sent to before and is not now is forgotten: all of it for addresses that are gone, UDP for those that live', () => {
  fc.assert(
    fc.property(someServices, someServices, (before, after) => {
      const sent = backendsIn(planned(before).ruleset?.elements ?? new Map())
      const { all, udp } = forgottenBy(sent, after)
      const ready = addressesOf(after, ({ isReady }) => isReady)
      const running = addressesOf(after, ({ isRunning }) => isRunning)
      for (const address of all) assert.ok(!running.has(address))
      for (const address of udp) assert.ok(running.has(address) && !ready.has(address))
      for (const address of sent) assert.ok(ready.has(address) || all.includes(address) || udp.includes(address))
    }),
  )
})

test('property: reserved addresses are given back exactly when their service is gone, or wants none', () => {
  fc.assert(
    fc.property(someServices, (services) => {
      const reservations = services.flatMap((service) =>
        service.networks.map(({ name }) => ({ networkId: `id-${name}`, owner: ownerOf(service), service })),
      )
      const [first, ...others] = services
      const kept = obsolete(others, reservations, idOf)
      assert.deepEqual(
        new Set(kept),
        new Set(reservations.filter(({ service }) => service === first || service.endpointMode === 'dnsrr')),
      )
    }),
  )
})

test('what others reserved is left alone', () => {
  assert.deepEqual(obsolete([], [{ networkId: 'id-front', owner: 'somebody' }], idOf), [])
})

const aTask = (id: string, address: string, isReady = true) => ({ id, isRunning: true, isReady, addresses: { front: [address] } })
const aService = (stack: string | null, name: string, ...tasks: DiscoveredService['tasks']): DiscoveredService => ({
  stack,
  name,
  endpointMode: 'vip',
  networks: [{ name: 'front', aliases: [] }],
  tasks,
})

test('on a shared network a name means the own application first, and with its name any', () => {
  const services = [aService('shop', 'web', aTask('a', '10.0.0.2')), aService('bank', 'web', aTask('b', '10.0.0.3'))]
  const index = serviceIndex(planned(services).bindings)
  const ask = (stack: string | null, name: string) =>
    index.resolve({ stack, networks: [{ id: 'id-front', name: 'front' }], name })
  assert.deepEqual(ask('shop', 'tasks.web'), ['10.0.0.2'])
  assert.deepEqual(ask('bank', 'tasks.web'), ['10.0.0.3'])
  assert.deepEqual(ask('shop', 'tasks.web.bank'), ['10.0.0.3'])
  assert.deepEqual(ask('shop', 'bank_web'), ['10.0.128.2', 'fd00::0:80:2'])
  assert.deepEqual(ask(null, 'tasks.web'), ['10.0.0.2', '10.0.0.3'])
  assert.equal(ask('shop', 'cache'), undefined)
})

test('an own address is found by its service, in its network only', () => {
  const index = serviceIndex(planned([aService('shop', 'web')]).bindings)
  assert.equal(index.reverse('id-front', '10.0.128.1'), 'web')
  assert.equal(index.reverse('id-back', '10.0.128.1'), undefined)
})

test('without br_netfilter nobody keeps an address that an answer could not find back from', () => {
  const { bindings } = planned([aService('shop', 'web', aTask('a', '10.0.0.2'))])
  const leaving = (seesNeighbours: boolean) => planTable(bindings, { seesNeighbours })?.chains.get('leaving')?.join('\n') ?? ''
  assert.match(leaving(true), /snat ip to ip saddr/)
  assert.doesNotMatch(leaving(false), /snat/)
})

test('backends are read from the table that an earlier daemon left', () => {
  const listing = 'elements = { 10.0.128.1 . 0 : 10.0.0.2,\n\t 10.0.128.1 . 1 : 10.0.0.3, fd00::80 . 0 : fd00::2 }'
  assert.deepEqual(backendsInListing(listing), new Set(['10.0.0.2', '10.0.0.3', 'fd00::2']))
})
