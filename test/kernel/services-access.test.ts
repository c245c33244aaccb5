import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'

import type { ContainerId } from '#base'
import { PLAIN_RULES } from '#traffic/policy'

import { serviceFixture } from './service-fixture.ts'

/** Long enough to meet each of two or three by chance. */
const TRIES = 24
const CHANGES = 100

const fixture = serviceFixture()

describe('services inside their networks', () => {
  let backends: readonly ContainerId[]
  let client: ContainerId
  let neighbour: ContainerId

  before(async () => {
    const { networks, container, serve, define, task, settle } = fixture
    await networks.recover({ pidOf: () => null })
    networks.create({ name: 'front', hasIpv6: true })
    networks.create({ name: 'other' })
    backends = [await container('web-1', ['front']), await container('web-2', ['front']), await container('web-3', ['front'])]
    client = await container('client-1', ['front'])
    neighbour = await container('guest-1', ['front'])
    for (const [at, id] of backends.entries()) {
      serve(id, 80, `web-${at + 1}`)
      fixture.echo(id, 53, `web-${at + 1}`)
    }
    define(
      'shop',
      'web',
      'front',
      backends.map((id) => task(id)),
    )
    define('shop', 'client', 'front', [task(client)])
    await settle()
  })

  const virtual = (family: 4 | 6 = 4) => {
    const found = fixture.discovery.addresses().find(({ service }) => service === 'web')?.virtual
    return found?.find((address) => address.includes(':') === (family === 6)) ?? assert.fail('web has an address of its own')
  }
  const heard = async (from: ContainerId, address: string) => {
    const all = await Promise.all(Array.from({ length: TRIES }, async () => await fixture.connect(from, address, 80)))
    return all.map((text) => text.split(' ')[0])
  }

  it('spreads TCP over all ready tasks, which see who asks', async () => {
    assert.deepEqual(new Set(await heard(client, virtual())), new Set(['web-1', 'web-2', 'web-3']))
    const own = fixture.networks.endpointsOf(client)[0]?.ipAddress ?? ''
    assert.match(await fixture.connect(client, virtual(), 80), new RegExp(`to (::ffff:)?${own}$`))
  })

  it('reaches a task through its own service, itself included', async () => {
    const [first] = backends
    assert.ok(first !== undefined)
    assert.deepEqual(new Set(await heard(first, virtual())), new Set(['web-1', 'web-2', 'web-3']))
  })

  it('never gives a container the address of a service', async () => {
    await assert.rejects(
      fixture.networks.attach({ containerId: neighbour, containerName: 'guest-1', network: 'other' }).then(async () => {
        const late = await fixture.container('late', [])
        await fixture.networks.attach({ containerId: late, containerName: 'late', network: 'front', ipv4Address: virtual() })
      }),
      { code: 'network.address_in_use' },
    )
  })

  it('refuses at once when nobody is ready, and from other networks', async () => {
    const { define, task, settle } = fixture
    define(
      'shop',
      'web',
      'front',
      backends.map((id) => task(id, false)),
    )
    await settle()
    assert.equal(await fixture.connect(client, virtual(), 80), 'ECONNREFUSED')
    define(
      'shop',
      'web',
      'front',
      backends.map((id) => task(id)),
    )
    await settle()
    const stranger = await fixture.container('stranger', ['other'])
    assert.equal(await fixture.connect(stranger, virtual(), 80), 'ECONNREFUSED')
  })

  it('loses no connection while backends change a hundred times', async () => {
    const { define, task, settle } = fixture
    let isOver = false
    const failures: string[] = []
    let count = 0
    const loops = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const text = await fixture.connect(client, virtual(), 80)
        count += 1
        if (!text.startsWith('web-')) failures.push(text)
      }
    })
    for (let change = 0; change < CHANGES; change += 1) {
      define(
        'shop',
        'web',
        'front',
        backends.map((id, at) => task(id, at !== change % backends.length)),
      )
      await settle()
    }
    isOver = true
    await Promise.all(loops)
    assert.deepEqual(failures, [], `of ${count}`)
    assert.ok(count > CHANGES, `${count} connections`)
  })

  it('leads a UDP client that keeps its port to another task when its own is not ready any more', async () => {
    const { define, task, settle } = fixture
    define(
      'shop',
      'web',
      'front',
      backends.map((id) => task(id)),
    )
    await settle()
    const ask = fixture.udpClient(client)
    const first = await ask(virtual(), 53)
    assert.equal(await ask(virtual(), 53), first)
    define(
      'shop',
      'web',
      'front',
      backends.map((id, at) => task(id, `web-${at + 1}` !== first)),
    )
    await settle()
    const second = await ask(virtual(), 53)
    assert.match(second, /^web-\d$/)
    assert.notEqual(second, first)
    define(
      'shop',
      'web',
      'front',
      backends.map((id) => task(id)),
    )
    await settle()
  })

  it('keeps applications apart on a network that they share, by the tasks behind an address, and counts what it refuses', async () => {
    const { define, task, settle, connect, rules } = fixture
    const guest = await fixture.container('guest-2', ['front'])
    define('bank', 'teller', 'front', [task(guest)])
    await settle()
    const direct = fixture.networks.endpointsOf(backends[0] ?? client)[0]?.ipAddress ?? ''
    assert.equal(await connect(guest, virtual(), 80), 'EHOSTUNREACH')
    assert.equal(await connect(guest, direct, 80), 'EHOSTUNREACH')
    const refused = (await fixture.policy.attempts()).filter(({ from, to }) => from === 'bank/teller' && to === 'shop/web')
    assert.ok(refused.some(({ protocol, port, packets }) => protocol === 'tcp' && port === 80 && packets > 0))

    const ports = [{ protocol: 'tcp' as const, first: 79, last: 81 }]
    rules.set('shop', { ...PLAIN_RULES, inside: 'deny', allow: [{ from: ['bank/teller'], to: ['web'], ports }] })
    await settle()
    assert.match(await connect(guest, virtual(), 80), /^web-/)
    assert.equal(await connect(client, direct, 80), 'EHOSTUNREACH')
    assert.match(await connect(backends[1] ?? client, direct, 80), /^web-1/)
    assert.match(await connect(neighbour, direct, 80), /^web-1/, 'a container of no application is judged by its networks alone')
    rules.delete('shop')
    await settle()
    assert.match(await connect(client, direct, 80), /^web-/)
  })

  it('has its addresses after a restart of the daemon, and gives them back with the service', async () => {
    const before_ = virtual()
    assert.ok(
      fixture
        .again()
        .reservations()
        .some(({ ipv4Address }) => ipv4Address === before_),
    )
    fixture.services.clear()
    await fixture.settle()
    assert.deepEqual(fixture.networks.reservations(), [])
    const tables = await fixture.host.nftables.listTables()
    assert.deepEqual(
      tables.filter(({ name }) => name.startsWith(`${fixture.networks.tableName}_`)),
      [],
    )
  })
})
