import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { systemClock } from '#base'
import { metricsBetween, percentile, type Backend, type Route } from '#traffic/router'
import { curl, echoOf, httpRoute, routerFixture, type RouterFixture } from './router-fixture.ts'

const clock = systemClock()
let fixture: RouterFixture

/** Answers by name of the backend's group. */
async function ask(port: number, times: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let count = 0; count < times / 8; count += 1) {
        const response = await fetch(`http://127.0.0.1:${port}/`)
        const group = (response.headers.get('x-backend') ?? String(response.status)).split('-')[0] ?? ''
        await response.text()
        counts.set(group, (counts.get(group) ?? 0) + 1)
      }
    }),
  )
  return counts
}

async function backends(group: string, count: number): Promise<readonly Backend[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => await fixture.backend(`${group}-${index}`, undefined, { group })),
  )
}

function split(port: number, all: readonly Backend[], shares: Readonly<Record<string, number>>): Route {
  return { ...httpRoute(port, all), groups: Object.entries(shares).map(([name, share]) => ({ name, share })) }
}

describe('the shares of a route', { timeout: 60_000 }, () => {
  before(async () => {
    fixture = await routerFixture()
  })
  after(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  it('are kept whatever the numbers of tasks, and change without a reload', async () => {
    const port = await fixture.port()
    const all = [...(await backends('old', 5)), ...(await backends('new', 1))]
    assert.deepEqual(await fixture.router.apply([split(port, all, { old: 95, new: 5 })]), [])
    const few = (await ask(port, 400)).get('new') ?? 0
    assert.ok(Math.abs(few - 20) <= 2, `${few} of 400`)
    await fixture.router.apply([split(port, all, { old: 50, new: 50 })])
    const even = (await ask(port, 400)).get('new') ?? 0
    assert.ok(Math.abs(even - 200) <= 5, `${even} of 400`)
    await fixture.router.apply([split(port, all, { old: 100, new: 0 })])
    assert.equal((await ask(port, 200)).get('new'), undefined)
    const [status] = await fixture.router.routes()
    assert.deepEqual(status?.backends.find((backend) => backend.group === 'new')?.share, 0)
  })

  it('are shifted by hand to what is no container, over what is applied, until that is taken back', async () => {
    const port = await fixture.port()
    const [old] = await backends('legacy', 1)
    assert.ok(old !== undefined)
    // Given by name, as machines beside are.
    const all = [...(await backends('web', 2)), { ...old, address: 'localhost' }]
    const route = split(port, all, { web: 100, legacy: 0 })
    assert.deepEqual(await fixture.router.apply([route]), [])
    assert.equal((await ask(port, 100)).get('legacy'), undefined)
    const shifted = await fixture.router.shift(route.id, { legacy: 25 })
    assert.equal(shifted.isShifted, true)
    assert.ok(Math.abs(((await ask(port, 200)).get('legacy') ?? 0) - 50) <= 2)
    await fixture.router.apply([route])
    assert.ok(Math.abs(((await ask(port, 200)).get('legacy') ?? 0) - 50) <= 2)
    await fixture.router.shift(route.id, null)
    assert.equal((await ask(port, 100)).get('legacy'), undefined)
    await assert.rejects(fixture.router.shift(route.id, { nobody: 5 }), { code: 'route.invalid', hint: 'It has web, legacy.' })
    await assert.rejects(fixture.router.shift('no/route', {}), { code: 'route.not_found' })
  })

  it('go to the others when a group has nobody', async () => {
    const port = await fixture.port()
    const all = await backends('old', 2)
    await fixture.router.apply([split(port, all, { old: 5, new: 95 })])
    assert.equal((await ask(port, 48)).get('old'), 48)
  })
})

describe('the figures of a route', { timeout: 60_000 }, () => {
  before(async () => {
    fixture = await routerFixture()
  })
  after(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  it('tell requests, errors and latencies of each revision, over a reload', async () => {
    const port = await fixture.port()
    let served = 0
    const slow = await fixture.backend(
      'slow-0',
      (_request, response) => {
        served += 1
        const isBroken = served % 10 === 0
        clock.after(30, () => {
          response.statusCode = isBroken ? 500 : 200
          response.setHeader('x-backend', 'slow')
          response.end('x')
        })
      },
      { group: 'slow' },
    )
    const route = split(port, [...(await backends('fast', 2)), slow], { fast: 50, slow: 50 })
    await fixture.router.apply([route])
    const start = await fixture.router.metrics.read()
    await ask(port, 160)
    await fixture.router.apply([route, httpRoute(await fixture.port(), [])])
    await ask(port, 160)
    // Lines come a moment after the answers.
    await clock.sleep(200)
    const groups = metricsBetween(start, await fixture.router.metrics.read()).filter((group) => group.routeId === route.id)
    const [fast, slowly] = ['fast', 'slow'].map((name) => groups.find((group) => group.group === name))
    assert.ok(fast !== undefined && slowly !== undefined)
    // Connections that were kept over the reload had their last answer from the worker that was replaced, when it was not asked any more.
    for (const { counts, latency } of [fast, slowly]) {
      assert.ok(counts.requests <= 160 && counts.requests >= 144, `${counts.requests} of 160`)
      assert.equal(latency.samples, counts.requests)
    }
    assert.equal(fast.counts.responses5xx, 0)
    assert.equal(slowly.counts.responses5xx + slowly.counts.responses2xx, slowly.counts.requests)
    assert.ok(slowly.counts.responses5xx >= 12 && slowly.counts.responses5xx <= 16, `${slowly.counts.responses5xx} errors`)
    const [quick, late] = [percentile(fast.latency, 0.5) ?? NaN, percentile(slowly.latency, 0.5) ?? NaN]
    // A timer may be a millisecond early, and HAProxy cuts each part of the time to whole ones.
    assert.ok(quick < 20 && late >= 27 && late < 60, `${quick} ms and ${late} ms`)
  })

  it('stand for all requests also when only some are told of', async () => {
    const port = await fixture.port()
    const route = split(port, await backends('web', 2), { web: 1 })
    await fixture.router.apply([route])
    const start = await fixture.router.metrics.read()
    await ask(port, 1200)
    await clock.sleep(200)
    const web = metricsBetween(start, await fixture.router.metrics.read()).find(
      ({ routeId, group }) => routeId === route.id && group === 'web',
    )
    assert.ok(web !== undefined)
    assert.equal(web.counts.requests, 1200)
    const estimate = web.latency.counts.reduce((sum, count) => sum + count, 0)
    assert.ok(Math.abs(estimate - 1200) < 400, `${estimate} of ${web.latency.samples} samples`)
  })

  it('count what the route answered by itself apart', async () => {
    const port = await fixture.port()
    const route = httpRoute(port, [])
    await fixture.router.apply([route])
    const start = await fixture.router.metrics.read()
    assert.equal((await curl(`http://127.0.0.1:${port}/`)).status, 503)
    const own = metricsBetween(start, await fixture.router.metrics.read()).find(({ routeId }) => routeId === route.id)
    assert.deepEqual([own?.group, own?.counts.responses5xx], ['', 1])
  })

  it('tell tasks the client through two proxies', async () => {
    const [outer, inner] = [await fixture.port(), await fixture.port()]
    const back = await fixture.backend('web')
    for (const version of ['v1', 'v2'] as const) {
      const behind = httpRoute(inner, [back], { hasProxyProtocol: true }, 'inner')
      const front = httpRoute(
        outer,
        [{ id: 'inner', address: '127.0.0.1', port: inner, state: 'ready' }],
        { sendProxyProtocol: version },
        'outer',
      )
      assert.deepEqual(await fixture.router.apply([behind, front]), [])
      const { headers } = echoOf(await curl('--interface', '127.0.0.9', `http://127.0.0.1:${outer}/`))
      assert.equal(headers['x-forwarded-for'], '127.0.0.9')
    }
  })

  it('bring a new task up slowly where that is asked for', async () => {
    const port = await fixture.port()
    const [one, two] = await backends('w', 2)
    assert.ok(one !== undefined && two !== undefined)
    const route = httpRoute(port, [one], { slowStartMs: 30_000, balance: 'round-robin' })
    await fixture.router.apply([route])
    await fixture.router.apply([{ ...route, backends: [one, { ...two, id: 'late' }] }])
    const served = await ask(port, 200)
    assert.ok(served.get('w') === 200, JSON.stringify([...served]))
    const { servers } = await fixture.router.status()
    assert.equal(servers.length, 2)
    const metrics = await fixture.router.metrics.read()
    const late = metrics.find((backend) => backend.backendId === 'late')?.counts.requests ?? 0
    assert.ok(late < 60, `${late} of 200`)
  })
})
