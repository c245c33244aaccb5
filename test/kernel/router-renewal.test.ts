import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { after, before, describe, it } from 'node:test'

import { silentLog, systemClock, systemRandom, type Clock } from '#base'
import { acmeTransport, openCertificates } from '#traffic/certificates'
import { askProxy } from '../load/web-service.ts'
import { startAcmeServer, type AcmeServer } from './acme-server.ts'
import { httpRoute, routerFixture } from './router-fixture.ts'

const real = systemClock()
/** Of the certificates in the long form, where nobody turns the clock: `GLOVEBOX_ACME_SECONDS=45`. */
const LIFE_SECONDS = Number(process.env['GLOVEBOX_ACME_SECONDS'] ?? 0)
const DAY_MS = 86_400_000
/** What the ACME server gives where it is told nothing: five years. */
const LONG_LIFE_MS = 157_766_400_000
/** Looks for old certificates come every 10 s; here sooner. */
const HASTE = 100

/** The real time and `aheadMs`, with shorter waits. */
function turnedClock(): Clock & { aheadMs: number } {
  const clock = {
    ...real,
    aheadMs: 0,
    nowMs: () => real.nowMs() + clock.aheadMs,
    after: (ms: number, work: () => void) => real.after(ms / HASTE, work),
  }
  return clock
}

let directory = ''
let acme: AcmeServer
let acmePort = 0

async function shownSerial(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: 'renew.test', rejectUnauthorized: false }, () => {
    resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber)
    socket.destroy()
  })
  socket.on('error', reject)
  return await promise
}

async function workerPid(runDir: string): Promise<string> {
  return /^Pid: (\d+)$/m.exec(await askProxy(runDir, 'show info'))?.[1] ?? 'none'
}

/** Clients that ask all the time: those of `kept` on connections that they keep. */
function load(port: number, agent: Agent) {
  const seen = { requests: 0, failures: [] as string[] }
  let isOver = false
  const one = async () =>
    await new Promise<void>((resolve) => {
      const options = { host: '127.0.0.1', port, agent, servername: 'renew.test', rejectUnauthorized: false }
      const asked = request({ ...options, headers: { host: 'renew.test' } }, (response) => {
        if (response.statusCode !== 200) seen.failures.push(`status ${response.statusCode}`)
        response.resume().on('end', resolve)
      })
      asked.on('error', (error) => {
        seen.failures.push(error.message)
        resolve()
      })
      asked.end()
    })
  const client = async () => {
    for (; !isOver; seen.requests += 1) await one()
  }
  const clients = [client(), client()]
  return async () => {
    isOver = true
    await Promise.all(clients)
    agent.destroy()
    return seen
  }
}

describe('a certificate of an ACME server that grows old', { timeout: 300_000 }, () => {
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gbx-acme-'))
    const first = await openCertificates({
      directory: join(directory, 'ca'),
      clock: real,
      random: systemRandom(),
      log: silentLog(),
    })
    const tls = { certificate: { type: 'own' }, minVersion: '1.2', redirectFromPort: null } as const
    const { byRoute } = await first.current([{ routeId: 'acme', hosts: ['localhost'], tls }])
    const prepared = await routerFixture()
    acmePort = await prepared.port()
    await prepared[Symbol.asyncDispose]()
    const ca = { pem: byRoute.get('acme')?.pem ?? '', ca: first.authority }
    acme = await startAcmeServer(join(directory, 'pebble'), acmePort, ca, LIFE_SECONDS)
    first[Symbol.dispose]()
  })
  after(() => {
    acme[Symbol.dispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  it('is replaced after two thirds of its life, under load, without a reload and without a failed request', async (t) => {
    const clock = turnedClock()
    const certificates = await openCertificates({
      directory: join(directory, 'keys'),
      clock: LIFE_SECONDS > 0 ? real : clock,
      random: systemRandom(),
      log: silentLog(),
      transport: acmeTransport(real, [acme.ca]),
    })
    const fixture = await routerFixture(certificates)
    try {
      const port = await fixture.port()
      const certificate = { type: 'acme', directoryUrl: acme.directoryUrl, email: null } as const
      const tls = { certificate, minVersion: '1.2', redirectFromPort: acmePort } as const
      assert.deepEqual(
        await fixture.router.apply([httpRoute(port, [await fixture.backend('web')], { hosts: ['renew.test'], tls })]),
        [],
      )
      const problem = async () => (await fixture.router.routes())[0]?.problem
      const until = async (what: string, isSo: () => Promise<boolean>, patienceMs = 20_000) => {
        for (const startMs = real.monotonicMs(); !(await isSo()); await real.sleep(50))
          assert.ok(real.monotonicMs() - startMs < patienceMs, `${what}: ${await problem()}`)
      }
      await until('no certificate', async () => (await problem()) === null)
      const serial = await shownSerial(port)
      const worker = await workerPid(fixture.runDir)
      const finish = [
        load(port, new Agent({ keepAlive: true, maxSockets: 1 })),
        load(port, new Agent({ keepAlive: false, maxCachedSessions: 0 })),
      ]
      const startMs = real.monotonicMs()
      await real.sleep(500)
      assert.equal(await shownSerial(port), serial, 'it is young')
      clock.aheadMs = (LONG_LIFE_MS * 2) / 3 + DAY_MS
      await until('no new certificate', async () => (await shownSerial(port)) !== serial, LIFE_SECONDS * 1000 + 20_000)
      clock.aheadMs = 0
      const tookMs = real.monotonicMs() - startMs
      await real.sleep(300)
      const results = await Promise.all(finish.map(async (end) => await end()))
      t.diagnostic(
        `a new certificate after ${Math.round(tookMs)} ms; ${results.map(({ requests }) => requests).join(' and ')} requests`,
      )
      assert.deepEqual(
        results.flatMap(({ failures }) => failures),
        [],
      )
      assert.ok(LIFE_SECONDS === 0 || tookMs < LIFE_SECONDS * 1000, 'before the old one ended')
      assert.equal(await workerPid(fixture.runDir), worker)
    } finally {
      certificates[Symbol.dispose]()
      await fixture[Symbol.asyncDispose]()
    }
  })
})
