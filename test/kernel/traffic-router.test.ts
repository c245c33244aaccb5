import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, it } from 'node:test'

import { memoryRecords, silentLog, systemClock, systemRandom } from '#base'
import { nodeProcesses, openRouter, type Backend, type Route, type Router } from '#traffic/router'

const clock = systemClock()
const children: ChildProcess[] = []
const loads: (() => void)[] = []
let runDir = ''
let router: Router
let port = 0

interface TestBackend extends Backend {
  readonly child: ChildProcess
}

function newRouter(): Router {
  const runAs = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null
  return openRouter({
    runDir,
    processes: nodeProcesses(),
    clock,
    random: systemRandom(),
    log: silentLog(),
    store: memoryRecords(),
    accessLogPath: join(runDir, 'access.log'),
    runAs,
    command: 'haproxy',
  })
}

function startNode(fixture: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, fixture), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null)
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  return chunk.toString().trim()
}

async function backend(id: string): Promise<TestBackend> {
  const child = startNode('traffic-backend.ts', [id])
  return { id, address: '127.0.0.1', port: Number(await firstLine(child)), state: 'ready', child }
}

function plain({ id, address, port: backendPort, state }: Backend): Backend {
  return { id, address, port: backendPort, state }
}

function route(backends: readonly Backend[], more: Partial<Route> = {}): Route {
  return { id: `shop/web/${port}`, hostIp: '127.0.0.1', hostPort: port, mode: 'tcp', backends: backends.map(plain), ...more }
}

async function fetchOnce(onPort: number, host = '127.0.0.1'): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const request = get({ host, port: onPort, agent: false, timeout: 10_000 }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (part: string) => (text += part))
    response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`))))
    response.on('error', reject)
  })
  request.on('error', reject)
  request.on('timeout', () => request.destroy(new Error('no answer')))
  return await promise
}

/** Until the kernel has closed the sockets of a killed process it may accept for it once more. */
const RETRY_PAUSE_MS = 50

/** Clients that ask one after another until they are told to stop. `retries`: how often one asks again, as browsers do for a GET. */
function load(retries: number) {
  const outcome = { answers: new Map<string, number>(), failures: [] as string[] }
  let isOver = false
  loads.push(() => (isOver = true))
  const client = async () => {
    while (!isOver) {
      for (let attempt = 0; ; attempt += 1) {
        try {
          const name = await fetchOnce(port)
          outcome.answers.set(name, (outcome.answers.get(name) ?? 0) + 1)
          break
        } catch (error) {
          if (attempt < retries) {
            await clock.sleep(RETRY_PAUSE_MS)
            continue
          }
          outcome.failures.push(String(error))
          break
        }
      }
    }
  }
  const clients = Array.from({ length: 8 }, client)
  return async () => {
    isOver = true
    await Promise.all(clients)
    return outcome
  }
}

function proxies(): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(runDir)
    } catch {
      return false
    }
  })
}

describe('the router', { timeout: 60_000 }, () => {
  beforeEach(async () => {
    runDir = mkdtempSync(join(tmpdir(), 'gbx-router-'))
    router = newRouter()
    port = await router.freePort('127.0.0.1')
  })
  afterEach(async () => {
    for (const end of loads.splice(0)) end()
    await router.stop()
    await router[Symbol.asyncDispose]()
    for (const child of children.splice(0)) child.kill('SIGKILL')
    assert.deepEqual(
      proxies().filter((pid) => !children.some((child) => String(child.pid) === pid)),
      [],
    )
    rmSync(runDir, { recursive: true, force: true })
  })

  it('spreads requests, and loses none that can be retried when a backend is killed', async () => {
    const [one, two] = [await backend('one'), await backend('two')]
    assert.deepEqual(await router.apply([route([one, two])]), [])
    const finish = load(1)
    await clock.sleep(500)
    one.child.kill('SIGKILL')
    await clock.sleep(700)
    await router.apply([route([two])])
    await clock.sleep(300)
    const { answers, failures } = await finish()
    assert.deepEqual(failures, [])
    assert.ok((answers.get('one') ?? 0) > 20 && (answers.get('two') ?? 0) > 20, JSON.stringify([...answers]))
  })

  it('repeats requests by itself in http mode', async () => {
    const [one, two] = [await backend('one'), await backend('two')]
    assert.deepEqual(await router.apply([route([one, two], { mode: 'http' })]), [])
    const finish = load(0)
    await clock.sleep(500)
    one.child.kill('SIGKILL')
    await clock.sleep(700)
    assert.deepEqual((await finish()).failures, [])
  })

  it('swaps all backends without a failed request', async () => {
    let current = [await backend('v0')]
    await router.apply([route(current)])
    const finish = load(0)
    for (const version of ['v1', 'v2', 'v3']) {
      const next = [await backend(version)]
      await router.apply([route([...current, ...next])])
      await router.apply([route([...current.map((old) => ({ ...old, state: 'draining' as const })), ...next])])
      while ((await router.connections()).get(current[0]?.id ?? '') !== 0) await clock.sleep(20)
      current[0]?.child.kill('SIGTERM')
      await router.apply([route(next)])
      current = next
    }
    const { answers, failures } = await finish()
    assert.deepEqual(failures, [])
    assert.deepEqual([...answers.keys()].toSorted(), ['v0', 'v1', 'v2', 'v3'])
    assert.deepEqual(
      (await router.status()).servers.map((server) => server.id),
      ['v3'],
    )
  })

  it('takes new ports by reload without a failed request', async () => {
    const one = await backend('one')
    await router.apply([route([one])])
    const { pid } = await router.status()
    const finish = load(0)
    const more: Route[] = []
    for (let count = 0; count < 4; count += 1) {
      const hostPort = await router.freePort('127.0.0.1')
      more.push(route([one], { id: `more/${hostPort}`, hostPort }))
      assert.deepEqual(await router.apply([route([one]), ...more]), [])
      assert.equal(await fetchOnce(hostPort), 'one')
      await clock.sleep(100)
    }
    assert.deepEqual((await finish()).failures, [])
    assert.equal((await router.status()).pid, pid)
    await router.apply([route([one])])
    await assert.rejects(fetchOnce(more[0]?.hostPort ?? 0), /ECONNREFUSED/)
  })

  it('goes on when the daemon is killed, and is found by the next one', async () => {
    const [one, two] = [await backend('one'), await backend('two')]
    const daemon = startNode('traffic-daemon.ts', [runDir, JSON.stringify(route([one]))])
    assert.equal(await firstLine(daemon), '[]')
    const finish = load(0)
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    await clock.sleep(300)
    assert.equal(await router.recover(), true)
    const { pid } = await router.status()
    await router.apply([route([one, two])])
    await clock.sleep(300)
    const { answers, failures } = await finish()
    assert.deepEqual(failures, [])
    assert.ok((answers.get('two') ?? 0) > 0)
    assert.equal((await router.status()).servers.length, 2)
    assert.ok(pid !== null)
  })

  it('brings a killed HAProxy back', async () => {
    const one = await backend('one')
    await router.apply([route([one])])
    const { pid } = await router.status()
    process.kill(pid ?? 0, 'SIGKILL')
    const deadlineMs = clock.monotonicMs() + 8000
    for (;;) {
      const answer = await fetchOnce(port).catch(() => undefined)
      const now = (await router.status()).pid
      if (answer === 'one' && now !== null && now !== pid) break
      assert.ok(clock.monotonicMs() < deadlineMs, 'HAProxy did not come back')
      await clock.sleep(50)
    }
  })

  it('names who holds a port that is in use, and serves the other routes', async () => {
    const one = await backend('one')
    const holder = createServer()
    holder.listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const address = holder.address()
    const taken = typeof address === 'object' && address !== null ? address.port : 0
    const failures = await router.apply([route([one], { id: 'taken', hostPort: taken }), route([one])])
    assert.equal(failures.length, 1)
    assert.match(
      failures[0]?.reason ?? '',
      new RegExp(`port ${taken} on 127\\.0\\.0\\.1 is in use by .* \\(process ${process.pid}\\)`),
    )
    assert.equal(await fetchOnce(port), 'one')
    holder.close()
    assert.deepEqual(await router.apply([route([one], { id: 'taken', hostPort: taken }), route([one])]), [])
    assert.equal(await fetchOnce(taken), 'one')
  })

  it('answers on every address of both families where none is given', async () => {
    const one = await backend('one')
    const hostPort = await router.freePort('')
    assert.deepEqual(await router.apply([route([one], { hostIp: '', hostPort })]), [])
    for (const host of ['127.0.0.1', '::1']) assert.equal(await fetchOnce(hostPort, host), 'one', host)
  })

  it('listens on IPv6, waits for a backend that is not there yet, and leaves nothing behind', async () => {
    const one = await backend('one')
    const hostPort = await router.freePort('::1')
    assert.deepEqual(await router.apply([route([one], { id: 'six', hostIp: '::1', hostPort }), route([])]), [])
    assert.deepEqual(await router.apply([route([one])]), [])
    assert.equal(await fetchOnce(port), 'one')
    await router.apply([])
    assert.equal((await router.status()).isRunning, false)
    assert.equal(existsSync(join(runDir, 'router')), false)
    assert.deepEqual(proxies(), [])
  })

  after(() => rmSync(runDir, { recursive: true, force: true }))
})
