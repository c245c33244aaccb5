import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { memoryRecords, silentLog, systemClock, systemRandom } from '#base'
import { PLAIN_RULE } from '#cluster/spec'
import { nodeProcesses, openRouter, type Backend, type Route, type Router } from '#traffic/router'
import { command, summarise } from './measure.ts'
import type { Row } from './rows.ts'

/** Of each subject, in turn; the longer form for a quiet machine is `GLOVEBOX_BENCH_ROUTER_SECONDS=10`. */
const SECONDS = Number(process.env['GLOVEBOX_BENCH_ROUTER_SECONDS'] ?? 3)
const ROUNDS = 7
const CONNECTIONS = 32
/** Of the floor's throughput at least 0.95, so of its time for a request at most 1 / 0.95. */
const THROUGHPUT_BAR = 1 / 0.95
const P99_BAR = 1.1
const SWAPS = 20
const READY_RUNS = 30
const READY_BAR_MS = 100

const clock = systemClock()

interface Measured {
  readonly perSecond: number
  readonly p99Ms: number
  /** Answers that were no answers, and connections that failed. */
  readonly failures: number
  readonly requests: number
}

/** What our configuration costs beside one that is written by hand for the same HAProxy, and how soon and how safely backends change. */
export async function routing(): Promise<readonly Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'gbx-br-'))
  const children: ChildProcess[] = []
  const router = openRouter({
    runDir: directory,
    processes: nodeProcesses(),
    clock,
    random: systemRandom(),
    log: silentLog(),
    store: memoryRecords(),
    accessLogPath: join(directory, 'access.log'),
    runAs: process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null,
    command: 'haproxy',
  })
  try {
    const ports = await Promise.all(Array.from({ length: 7 }, async () => await router.freePort('127.0.0.1')))
    const [first = 0, second = 0, floor = 0, bare = 0, choosing = 0, published = 0, named = 0] = ports
    children.push(await startHaproxy(join(directory, 'origin'), originText(first, second)))
    children.push(await startHaproxy(join(directory, 'floor'), floorText(floor, [first, second], false)))
    children.push(await startHaproxy(join(directory, 'choosing'), floorText(choosing, [first, second], false, 20)))
    children.push(await startHaproxy(join(directory, 'bare'), floorText(bare, [first, second], true)))
    const backends = [first, second].map((port, index) => backend(`b${index}`, port))
    await router.apply([route('published', published, backends), ...namedRoutes(named, backends)])
    const rates = await throughput({ floor, bare, choosing, published, named })
    return [...rates, ...(await readiness(router, published, backends)), await replacing(router, published, backends)]
  } finally {
    await router.stop()
    await router[Symbol.asyncDispose]()
    for (const child of children) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

function backend(id: string, port: number): Backend {
  return { id, address: '127.0.0.1', port, state: 'ready' }
}

function route(id: string, hostPort: number, backends: readonly Backend[]): Route {
  return { id, hostIp: '127.0.0.1', hostPort, mode: 'http', backends }
}

/** One of twenty by host and path, with what such a route usually has. */
function namedRoutes(hostPort: number, backends: readonly Backend[]): readonly Route[] {
  return Array.from({ length: 20 }, (_, index): Route => {
    const hosts = [index === 7 ? '127.0.0.1' : `app-${index}.example.com`]
    const path = { type: 'prefix', value: `/v${index}` } as const
    return { ...route(`named-${index}`, hostPort, backends), rule: { ...PLAIN_RULE, hosts, path } }
  })
}

async function throughput(ports: {
  readonly floor: number
  readonly bare: number
  readonly choosing: number
  readonly published: number
  readonly named: number
}): Promise<readonly Row[]> {
  const subjects = [
    { name: 'HAProxy by hand', url: `http://127.0.0.1:${ports.floor}/` },
    { name: 'HAProxy by hand, 20 hosts and paths', url: `http://127.0.0.1:${ports.choosing}/v7/x` },
    { name: 'HAProxy by hand, no repeating', url: `http://127.0.0.1:${ports.bare}/` },
    { name: 'glovebox, published port', url: `http://127.0.0.1:${ports.published}/` },
    { name: 'glovebox, 20 hosts and paths', url: `http://127.0.0.1:${ports.named}/v7/x` },
  ]
  const seen = new Map(subjects.map(({ name }) => [name, [] as Measured[]]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    // A machine that slows down slows all of them, and nobody is always the first.
    for (const { name, url } of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const measured = await wrk(url, round === 0 ? 1 : SECONDS)
      if (measured.failures > 0) throw new Error(`${name}: ${measured.failures} failed requests`)
      if (round > 0) seen.get(name)?.push(measured)
    }
  }
  const rows: Row[] = []
  for (const [subject, runs] of seen) {
    const { perSecond, p99 } = figures(runs)
    const isFloor = subject.startsWith('HAProxy')
    const to = subject.includes('20 hosts') ? 'HAProxy by hand, 20 hosts and paths' : 'HAProxy by hand'
    const floor = figures(seen.get(to) ?? [])
    const ratio = (value: number, bar: number) => (isFloor ? null : { to, value, bar })
    rows.push(
      {
        what: 'routed requests',
        subject,
        median: perSecond.medianMs,
        min: perSecond.minMs,
        p90: perSecond.p90Ms,
        unit: '/s',
        runs: runs.length,
        ratio: ratio(floor.perSecond.medianMs / perSecond.medianMs, THROUGHPUT_BAR),
      },
      {
        what: 'routed requests: 99th percentile',
        subject,
        median: p99.medianMs,
        min: p99.minMs,
        p90: p99.p90Ms,
        unit: 'ms',
        runs: runs.length,
        ratio: ratio(p99.medianMs / floor.p99.medianMs, P99_BAR),
      },
    )
  }
  return rows
}

function figures(runs: readonly Measured[]) {
  return { perSecond: summarise(runs.map((run) => run.perSecond)), p99: summarise(runs.map((run) => run.p99Ms)) }
}

/** From the word that a task is ready to its first answer, and from the word that it is gone to the last request that it could get. */
async function readiness(router: Router, port: number, backends: readonly Backend[]): Promise<readonly Row[]> {
  const { server, name } = await namedServer()
  const late = backend('late', name)
  const incoming: number[] = []
  const outgoing: number[] = []
  try {
    for (let run = 0; run < READY_RUNS; run += 1) {
      let startMs = clock.monotonicMs()
      await router.apply([route('published', port, [late])])
      while ((await ask(port)) !== 'late') continue
      incoming.push(clock.monotonicMs() - startMs)
      startMs = clock.monotonicMs()
      await router.apply([route('published', port, backends)])
      outgoing.push(clock.monotonicMs() - startMs)
      if ((await ask(port)) === 'late') throw new Error('a backend answers that was taken out')
    }
  } finally {
    server.kill('SIGKILL')
  }
  return [row('a ready backend: until it answers', incoming), row('a backend that went: until it gets nothing', outgoing)]
}

function row(what: string, times: readonly number[]): Row {
  const { medianMs, minMs, p90Ms, runs } = summarise(times)
  return {
    what,
    subject: 'glovebox',
    median: medianMs,
    min: minMs,
    p90: p90Ms,
    unit: 'ms',
    runs,
    ratio: { to: `${READY_BAR_MS} ms`, value: p90Ms / READY_BAR_MS, bar: 1 },
  }
}

/** Failed requests while all backends are replaced again and again, also without a word. */
async function replacing(router: Router, port: number, backends: readonly Backend[]): Promise<Row> {
  let isOver = false
  let swaps = 0
  const swap = async () => {
    for (; !isOver && swaps < SWAPS; swaps += 1) {
      const { server, name } = await namedServer()
      const fresh = backend(`swap-${swaps}`, name)
      await router.apply([route('published', port, [...backends, fresh])])
      await clock.sleep(100)
      server.kill('SIGKILL')
      await once(server, 'exit')
      await router.apply([route('published', port, backends)])
    }
  }
  await router.apply([route('published', port, backends)])
  const swapping = swap()
  let failures = 0
  let requests = 0
  while (swaps < SWAPS) {
    const measured = await wrk(`http://127.0.0.1:${port}/`, 1)
    failures += measured.failures
    requests += measured.requests
  }
  isOver = true
  await swapping
  return {
    what: `failed of ${requests} requests, ${swaps} backends brought in and killed`,
    subject: 'glovebox',
    median: failures,
    min: failures,
    p90: failures,
    unit: '%',
    runs: 1,
    ratio: { to: 'none', value: failures, bar: 0 },
  }
}

async function wrk(url: string, seconds: number): Promise<Measured> {
  const text = await command('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', url])
  const [, p99 = '', unit = ''] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? []
  const [, perSecond = ''] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? []
  const [, requests = '0'] = /(\d+) requests in/.exec(text) ?? []
  const [, statuses = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(text) ?? []
  const [, connect = '0', read = '0', write = '0', timeout = '0'] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? []
  const failures = [statuses, connect, read, write, timeout].reduce((sum, count) => sum + Number(count), 0)
  return {
    perSecond: Number(perSecond),
    p99Ms: Number(p99) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN),
    failures,
    requests: Number(requests),
  }
}

async function ask(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  get({ host: '127.0.0.1', port, agent: false }, (response) => {
    let text = ''
    response.on('data', (part: Buffer) => (text += part.toString()))
    response.on('end', () => resolve(text))
  }).on('error', reject)
  return await promise
}

const SERVER = `require('node:http').createServer((q, s) => s.end('late')).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`

async function namedServer(): Promise<{ readonly server: ChildProcess; readonly name: number }> {
  const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [chunk] = (await once(server.stdout, 'data')) as [Buffer]
  return { server, name: Number(chunk.toString().trim()) }
}

/** In a session of its own, as the router's is: sessions share the processors among themselves. */
async function startHaproxy(directory: string, text: string): Promise<ChildProcess> {
  mkdirSync(directory)
  writeFileSync(join(directory, 'haproxy.cfg'), text)
  const child = spawn('haproxy', ['-db', '-f', join(directory, 'haproxy.cfg')], { stdio: 'ignore', detached: true })
  const port = Number(/:(\d+)\n/.exec(text)?.[1])
  for (let tries = 0; tries < 100; tries += 1) {
    if (
      await ask(port).then(
        () => true,
        () => false,
      )
    )
      return child
    await clock.sleep(30)
  }
  throw new Error('HAProxy does not start')
}

/** Answers by itself: nothing is faster on one core. */
function originText(...ports: readonly number[]): string {
  const listen = ports.map(
    (port) =>
      `listen origin-${port}\n  bind 127.0.0.1:${port}\n  http-request return status 200 content-type text/plain string hello\n`,
  )
  return `global\n  maxconn 8000\n  nbthread 1\n${PLAIN_DEFAULTS}${listen.join('')}`
}

/** As one writes it for the same promises: checks, the client told and not believed, and what is safe to repeat repeated when a server dies. */
function floorText(port: number, servers: readonly number[], isBare: boolean, routes = 0): string {
  const lines = servers.map((server, index) => `  server s${index} 127.0.0.1:${server} check\n`)
  const choices = Array.from({ length: routes }, (_, index) => {
    const host = index === 7 ? '127.0.0.1' : `app-${index}.example.com`
    return `  use_backend out if { req.hdr(host),host_only ${host} } { path_beg /v${index}/ }\n`
  })
  return `global\n  maxconn 8000\n${PLAIN_DEFAULTS}frontend in\n  bind 127.0.0.1:${port}\n${choices.join('')}  default_backend out\nbackend out\n  balance leastconn\n${isBare ? '  option forwardfor\n' : PROMISES}${lines.join('')}`
}

const PROMISES = `  option forwardfor
  http-request set-header X-Forwarded-Proto http
  retries 3
  option redispatch 1
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless { method GET HEAD OPTIONS }
`

const PLAIN_DEFAULTS = 'defaults\n  mode http\n  timeout connect 1s\n  timeout client 1m\n  timeout server 1m\n'
