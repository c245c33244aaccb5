import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, before, describe, test, type TestContext } from 'node:test'

import { startDaemon, type TestDaemon } from '../support/daemon.ts'
import { run, until } from '../support/processes.ts'
import { curl } from '../kernel/router-fixture.ts'
import { routesFile } from './declared-routes.ts'
import { killClients, startClient, stopAll } from './clients.ts'
import { taskServerTar } from './service-image.ts'
import { ask, PATIENCE_MS } from './web-service.ts'

/** Rollouts of a stack's services on a real daemon, judged by what its router sees of real requests. */
let daemon: TestDaemon
let port = 0

interface Rollout {
  readonly state: string
  readonly reason: string
  readonly weightPercent: number | null
  readonly judgements: readonly { readonly verdict: string; readonly reason: string }[]
}

async function glovebox(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.glovebox(...words)
  assert.equal(code, 0, `${words.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

async function rollout(): Promise<Rollout> {
  const [{ service }] = JSON.parse(await glovebox('service', 'inspect', 'shop/web')) as [{ service: { rollout: Rollout } }]
  return service.rollout
}

async function deploy(...words: readonly string[]): Promise<void> {
  await glovebox('deploy', 'shop/web', '-d', '-q', ...words)
}

async function reaches(what: string, isThere: (now: Rollout) => boolean): Promise<Rollout> {
  return await until(what, PATIENCE_MS, async () => {
    const now = await rollout()
    if (!isThere(now)) throw new Error(JSON.stringify(now))
    return now
  })
}

const ended = async (...states: readonly string[]) => await reaches(states.join(' or '), ({ state }) => states.includes(state))

/** Which versions so many requests come to. */
async function versionsOf(count: number): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>()
  for (let index = 0; index < count; index += 1) {
    const { version } = await ask(port)
    seen.set(version, (seen.get(version) ?? 0) + 1)
  }
  return seen
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function composeFile(rolloutText: string): string {
  return `name: shop
services:
  web:
    image: task-server
    command: [/bin/task-server]
    environment: { VERSION: v1 }
    stop_grace_period: 2s
    deploy:
      replicas: 2
      update_config: { parallelism: 2, monitor: 400ms, failure_action: rollback, order: start-first }
      rollback_config: { parallelism: 2, monitor: 100ms, order: start-first }
    x-glovebox:
      routes: [{ address: 127.0.0.1, port: ${port}, target_port: 8080 }]
      rollout: ${rolloutText}
`
}

const CANARY =
  '{ strategy: canary, steps: [{ weight: 20, hold: 700ms }, { weight: 60, hold: 300ms }], min_requests: 40, max_error_ratio: 0.05, latency_percentile: 0.9, max_latency_ratio: 3 }'

async function up(rolloutText: string): Promise<void> {
  const directory = join(daemon.directory, 'shop')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'compose.yaml'), composeFile(rolloutText))
  await glovebox('up', directory)
  await until('the route to answer', PATIENCE_MS, async () => ((await ask(port)).version === 'v1' ? true : undefined))
}

before(async () => {
  daemon = await startDaemon()
  port = await freePort()
  await glovebox('import', await taskServerTar(daemon.directory), 'task-server')
})
after(async () => {
  killClients()
  await daemon.glovebox('down', join(daemon.directory, 'shop'))
  await daemon.stop()
})
afterEach(killClients)

describe('a canary', { timeout: 300_000 }, () => {
  before(async () => await up(CANARY))

  test('waits while there are too few requests, and is promoted by hand', async () => {
    await deploy('--env', 'VERSION=few')
    const { judgements } = await reaches('its part of the requests', ({ weightPercent }) => weightPercent === 20)
    assert.ok(judgements.every(({ verdict }) => verdict === 'too-little'))
    const seen = await versionsOf(20)
    assert.equal(seen.get('few'), 4, JSON.stringify([...seen]))
    // Longer than the step is held: only requests are missing.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    assert.equal((await rollout()).weightPercent, 20)
    assert.match((await daemon.glovebox('why', 'shop/web')).stdout, /of the 40 requests\s+that a judgement needs/)
    await glovebox('promote', '-d', '-q', 'shop/web')
    await ended('completed')
    assert.deepEqual([...(await versionsOf(4)).keys()], ['few'])
  })

  test('that is good goes through by itself, and nobody notices', async (t: TestContext) => {
    const clients = [startClient('kept', { port, perSecond: 200 }), startClient('new', { port, isKept: false, perSecond: 50 })]
    await deploy('--env', 'VERSION=good')
    const { judgements } = await ended('completed')
    assert.deepEqual(
      judgements.filter(({ verdict }) => verdict !== 'too-little').map(({ verdict }) => verdict),
      ['good', 'good'],
      JSON.stringify(judgements),
    )
    await stopAll(clients, (line) => t.diagnostic(line))
    assert.deepEqual([...(await versionsOf(4)).keys()], ['good'])
  })

  test('that answers every fifth request with 500 is rolled back, and says why', async () => {
    const client = startClient('kept', { port, perSecond: 250 })
    await deploy('--env', 'VERSION=broken', '--env', 'ERROR_PERCENT=20')
    const { reason, judgements } = await ended('rolled-back')
    assert.match(reason, /step 1 of the canary: error ratio 0\.\d+ of \d+ requests, at most 0\.05 allowed/)
    assert.equal(judgements.at(-1)?.verdict, 'bad')
    const { reasons, versions } = await client.stop()
    assert.deepEqual(Object.keys(reasons), ['status 500'])
    assert.deepEqual(Object.keys(versions).toSorted(), ['broken', 'good'])
    assert.deepEqual([...(await versionsOf(4)).keys()], ['good'])
  })

  test('that is five times as slow is rolled back, and says why', async (t: TestContext) => {
    await deploy('--env', 'VERSION=quick', '--env', 'DELAY_MS=8')
    await reaches('its part of the requests', ({ weightPercent }) => weightPercent === 20)
    await glovebox('promote', '-d', '-q', 'shop/web')
    await ended('completed')
    const client = startClient('kept', { port, connections: 16, perSecond: 250 })
    await deploy('--env', 'VERSION=slow', '--env', 'DELAY_MS=60')
    const { reason } = await ended('rolled-back', 'completed')
    assert.match(reason, /latency \(p90\) \d.* ms against \d.* ms is \d.* times as much, at most 3 allowed/)
    await stopAll([client], (line) => t.diagnostic(line))
    assert.deepEqual([...(await versionsOf(4)).keys()], ['quick'])
  })

  test('is paused, goes on, and is given up in the middle', async (t: TestContext) => {
    const client = startClient('kept', { port, perSecond: 20 })
    await deploy('--env', 'VERSION=held', '--env', 'DELAY_MS=0')
    await reaches('its part of the requests', ({ weightPercent }) => weightPercent === 20)
    await glovebox('service', 'pause', '-d', '-q', 'shop/web')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    assert.deepEqual([(await rollout()).weightPercent, (await rollout()).state], [20, 'running'])
    await glovebox('resume', '-d', '-q', 'shop/web')
    await glovebox('abort', '-d', '-q', 'shop/web')
    const { reason } = await ended('rolled-back')
    assert.equal(reason, 'aborted')
    await stopAll([client], (line) => t.diagnostic(line))
    assert.deepEqual([...(await versionsOf(4)).keys()], ['quick'])
  })
})

describe('blue-green and rolling', { timeout: 300_000 }, () => {
  before(async () => await up('{ strategy: blue-green }'))

  test('blue-green turns all requests over at once, and none fails', async (t: TestContext) => {
    const clients = [startClient('kept', { port, perSecond: 200 }), startClient('new', { port, isKept: false, perSecond: 50 })]
    await deploy('--env', 'VERSION=green')
    // Old tasks stand by for a moment that may be over between two looks.
    await reaches('all requests to turn', ({ weightPercent, state }) => weightPercent === 100 || state === 'completed')
    await until('the router to turn', PATIENCE_MS, async () => ((await ask(port)).version === 'green' ? true : undefined))
    assert.deepEqual([...(await versionsOf(10)).keys()], ['green'])
    await ended('completed')
    await stopAll(clients, (line) => t.diagnostic(line))
  })

  test('new tasks that crash are rolled back by themselves, and get no request', async (t: TestContext) => {
    const client = startClient('kept', { port, perSecond: 200 })
    await deploy('--env', 'VERSION=crash', '--env', 'EXIT_AFTER_MS=150')
    const { reason } = await ended('rolled-back')
    assert.match(reason, /new tasks? failed: .*3/)
    await stopAll([client], (line) => t.diagnostic(line))
    assert.deepEqual([...(await versionsOf(4)).keys()], ['green'])
  })

  test('rolling goes back as well when new tasks crash, and no request fails', async (t: TestContext) => {
    const client = startClient('kept', { port, perSecond: 200 })
    await deploy('--strategy', 'rolling', '--env', 'VERSION=crash', '--env', 'EXIT_AFTER_MS=150')
    const { reason } = await ended('rolled-back')
    assert.match(reason, /new tasks? failed: .*3/)
    await stopAll([client], (line) => t.diagnostic(line))
    assert.deepEqual([...(await versionsOf(4)).keys()], ['green'])
  })
})

describe('routes that a Compose file declares, asked by real clients', { timeout: 120_000 }, () => {
  const legacy = createHttpServer((_request, response) => response.end('old house'))
  const ports = { secure: 0, proxied: 0, old: 0 }
  const to = (name: string, path = '/', at = port) => ['-H', `Host: ${name}.test`, `http://127.0.0.1:${at}${path}`]
  const secure = () => ['-k', '--resolve', `secure.test:${ports.secure}:127.0.0.1`, `https://secure.test:${ports.secure}/`]
  before(async () => {
    await new Promise<void>((resolve) => legacy.listen(0, '127.0.0.1', resolve))
    const address = legacy.address()
    ports.old = typeof address === 'object' && address !== null ? address.port : 0
    ports.secure = await freePort()
    ports.proxied = await freePort()
    const hash = (await run('openssl', ['passwd', '-6', 'secret'])).stdout.trim()
    const directory = join(daemon.directory, 'shop')
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'compose.yaml'), routesFile(port, ports.secure, ports.proxied, ports.old, hash))
    await glovebox('up', directory)
    await until('the routes', PATIENCE_MS, async () => ((await curl(...to('plain'))).status === 200 ? true : undefined))
  })
  after(() => {
    legacy.closeAllConnections()
    legacy.close()
  })

  test('HTTP/2 and redirects', async () => {
    assert.deepEqual(
      [(await curl('--http2', ...secure())).version, (await curl('--http1.1', ...secure())).version],
      ['HTTP/2', 'HTTP/1.1'],
    )
    const [led, away] = [await curl(...to('secure', '/x?y')), await curl(...to('away', '/x?y'))]
    assert.deepEqual([led.status, led.headers.get('location')], [308, `https://secure.test:${ports.secure}/x?y`])
    assert.deepEqual([away.status, away.headers.get('location')], [308, 'https://new.test/x?y'])
  })

  test('headers, limits, passwords, lists, compression and the PROXY protocol', async () => {
    const { headers } = await curl(...to('headers'))
    assert.deepEqual([headers.get('x-shop'), headers.get('x-version')], ['5 % off', undefined])
    const limited: number[] = []
    for (let index = 0; index < 5; index += 1) limited.push((await curl(...to('limited'))).status)
    assert.deepEqual(limited, [200, 200, 200, 429, 429])
    assert.deepEqual([(await curl(...to('closed'))).status, (await curl('-u', 'ann:secret', ...to('closed'))).status], [401, 200])
    assert.equal((await curl(...to('denied'))).status, 403)
    assert.equal(
      (await curl('-H', 'Accept-Encoding: gzip', '--output', '/dev/null', '-D', '-', ...to('packed'))).headers.get(
        'content-encoding',
      ),
      'gzip',
    )
    assert.equal((await curl('--haproxy-protocol', ...to('any', '/', ports.proxied))).status, 200)
    assert.equal((await curl(...to('any', '/', ports.proxied))).status, 0)
  })

  test('a client that stays with its task, and parts of the requests for what is no container', async () => {
    const first = await curl(...to('sticky'))
    const cookie = /^sid=[^;]+/.exec(first.headers.get('set-cookie') ?? '')?.[0] ?? ''
    for (let index = 0; index < 4; index += 1)
      assert.equal((await curl('-H', `Cookie: ${cookie}`, ...to('sticky'))).headers.get('x-task'), first.headers.get('x-task'))
    const tasks = new Set<string | undefined>()
    for (let index = 0; index < 4; index += 1) tasks.add((await curl(...to('plain'))).headers.get('x-task'))
    assert.equal(tasks.size, 2)
    let old = 0
    for (let index = 0; index < 16; index += 1) if ((await curl(...to('moved'))).body === 'old house') old += 1
    // One of four, wherever the turns began.
    assert.ok(old >= 3 && old <= 5, `${old} of 16`)
  })

  test('events under another path', async () => {
    const { body, headers } = await curl(...to('live', '/live?3'))
    assert.equal(headers.get('content-type'), 'text/event-stream')
    assert.equal(body.split('data: ').length - 1, 3)
  })
})
