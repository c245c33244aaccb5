import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { silentLog, systemClock, systemRandom } from '#base'
import type { RouteRule } from '#cluster/spec'
import { acmeTransport, openCertificates, type Certificates } from '#traffic/certificates'
import type { Route } from '#traffic/router'
import { startAcmeServer, type AcmeServer } from './acme-server.ts'
import { curl, echoOf, httpRoute, routerFixture, type RouterFixture } from './router-fixture.ts'

const clock = systemClock()
let directory = ''
let certificates: Certificates
let fixture: RouterFixture
let caPath = ''
let acmePort = 0
let acme: AcmeServer

const own: NonNullable<RouteRule['tls']> = { certificate: { type: 'own' }, minVersion: '1.2', redirectFromPort: null }
const https = (name: string, port: number, path = '/') => [
  '--resolve',
  `${name}:${port}:127.0.0.1`,
  `https://${name}:${port}${path}`,
]

/** Name of the certificate that is shown for a host. */
function shown(port: number, name: string, ...args: readonly string[]): string {
  const { stdout, stderr } = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', name, ...args], {
    input: '',
    encoding: 'utf8',
    timeout: 10_000,
  })
  const [block] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(stdout) ?? []
  return block === undefined ? `none: ${stderr.split('\n')[0] ?? ''}` : new X509Certificate(block).subject
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = clock.monotonicMs() + 20_000
  while (!(await condition())) {
    assert.ok(clock.monotonicMs() < deadline, what)
    await clock.sleep(50)
  }
}

describe('routes with TLS', { timeout: 120_000 }, () => {
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gbx-tls-'))
    const first = await openCertificates({ directory: join(directory, 'keys'), clock, random: systemRandom(), log: silentLog() })
    const { byRoute } = await first.current([{ routeId: 'acme', hosts: ['localhost'], tls: own }])
    caPath = join(directory, 'ca.pem')
    writeFileSync(caPath, first.authority)
    const prepared = await routerFixture()
    acmePort = await prepared.port()
    await prepared[Symbol.asyncDispose]()
    acme = await startAcmeServer(join(directory, 'pebble'), acmePort, {
      pem: byRoute.get('acme')?.pem ?? '',
      ca: first.authority,
    })
    first[Symbol.dispose]()
    certificates = await openCertificates({
      directory: join(directory, 'keys'),
      clock,
      random: systemRandom(),
      log: silentLog(),
      transport: acmeTransport(clock, [acme.ca]),
    })
    fixture = await routerFixture(certificates)
  })
  after(async () => {
    certificates[Symbol.dispose]()
    await fixture[Symbol.asyncDispose]()
    acme[Symbol.dispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  it('speak HTTP/2 with a certificate of the own CA, and lead plain requests there', async () => {
    const [port, plain] = [await fixture.port(), await fixture.port()]
    const route = httpRoute(port, [await fixture.backend('web')], {
      hosts: ['shop.test', '*.shop.test'],
      tls: { ...own, redirectFromPort: plain },
    })
    assert.deepEqual(await fixture.router.apply([route]), [])
    for (const name of ['shop.test', 'www.shop.test']) {
      const answer = await curl('--cacert', caPath, '--http2', ...https(name, port, '/x'))
      assert.deepEqual([answer.errors, answer.version, answer.status], ['', 'HTTP/2', 200])
      const { headers } = echoOf(answer)
      assert.deepEqual([headers['x-forwarded-proto'], headers['x-forwarded-host']], ['https', `${name}:${port}`])
    }
    assert.equal((await curl('--cacert', caPath, '--http1.1', ...https('shop.test', port))).version, 'HTTP/1.1')
    const sent = await curl('-H', `Host: shop.test:${plain}`, `http://127.0.0.1:${plain}/a?b=c`)
    assert.deepEqual([sent.status, sent.headers.get('location')], [308, `https://shop.test:${port}/a?b=c`])
    assert.equal(shown(port, 'elsewhere.test'), 'CN=no certificate for this host')
    assert.match(shown(port, 'shop.test', '-tls1_1'), /^none/)
  })

  it('show each host its own certificate, take new ones without a reload, and those of files as they change', async () => {
    const port = await fixture.port()
    const backend = await fixture.backend('web')
    const paths = { certificatePath: join(directory, 'f.crt'), keyPath: join(directory, 'f.key') }
    const make = (days: number) =>
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', paths.keyPath, '-out', paths.certificatePath].concat([
          '-days',
          String(days),
          '-subj',
          `/CN=files ${days}`,
          '-addext',
          'subjectAltName=DNS:files.test',
        ]),
        { stdio: 'ignore' },
      )
    make(5)
    const tls = { ...own, certificate: { type: 'files', ...paths } } as const
    const one = httpRoute(port, [backend], { hosts: ['one.test'], tls: own }, 'one')
    const files = httpRoute(port, [backend], { hosts: ['files.test'], tls }, 'files')
    assert.deepEqual(await fixture.router.apply([one, files]), [])
    assert.deepEqual([shown(port, 'one.test'), shown(port, 'files.test')], ['CN=one.test', 'CN=files 5'])
    make(6)
    assert.deepEqual(await fixture.router.apply([one, files]), [])
    assert.equal(shown(port, 'files.test'), 'CN=files 6')
    // Not the key of this certificate: the route goes on with what it has, and says so.
    execFileSync('openssl', ['genrsa', '-out', paths.keyPath, '2048'], { stdio: 'ignore' })
    await fixture.router.apply([one, files])
    assert.match(
      (await fixture.router.routes()).find((route) => route.id === 'files')?.problem ?? '',
      /the key is not that of the first certificate/,
    )
    assert.equal(shown(port, 'one.test'), 'CN=one.test')
    // One version for each host.
    await fixture.router.apply([httpRoute(port, [backend], { hosts: ['one.test'], tls: { ...own, minVersion: '1.3' } }, 'one')])
    assert.match(shown(port, 'one.test', '-tls1_2'), /^none/)
    assert.equal(shown(port, 'one.test', '-tls1_3'), 'CN=one.test')
  })

  it('end TLS for tcp, and pass it on unopened by its name', async () => {
    const [ended, passed] = [await fixture.port(), await fixture.port()]
    const backend = await fixture.backend('web')
    const inner = httpRoute(await fixture.port(), [backend], { hosts: ['inner.test'], tls: own }, 'inner')
    const direct = httpRoute(await fixture.port(), [backend], { hosts: ['any.test'], tls: own }, 'direct')
    const tcp = (id: string, hostPort: number, target: number, rule: Route['rule']): Route => ({
      ...{ id, hostIp: '127.0.0.1', hostPort, mode: 'tcp' },
      backends: [{ id: 'web', address: '127.0.0.1', port: target, state: 'ready' }],
      ...(rule === undefined ? {} : { rule }),
    })
    const base = inner.rule
    assert.ok(base !== undefined)
    const routes = [
      inner,
      direct,
      tcp('ended', ended, backend.port, { ...base, hosts: ['ended.test'] }),
      tcp('passed', passed, inner.hostPort, { ...base, tls: null, hosts: ['inner.test'] }),
      tcp('rest', passed, direct.hostPort, undefined),
    ]
    assert.deepEqual(await fixture.router.apply(routes), [])
    assert.equal((await curl('--cacert', caPath, '--http1.1', ...https('ended.test', ended))).status, 200)
    assert.equal(shown(passed, 'inner.test'), 'CN=inner.test')
    assert.equal(shown(passed, 'any.test'), 'CN=any.test')
  })

  it('get a certificate from an ACME server, serve with another until then, and keep it over a restart', async () => {
    const port = await fixture.port()
    const tls = {
      certificate: { type: 'acme', directoryUrl: acme.directoryUrl, email: 'ops@shop.test' },
      minVersion: '1.2',
      redirectFromPort: acmePort,
    } as const
    const route = httpRoute(port, [await fixture.backend('web')], { hosts: ['acme.test', 'www.acme.test'], tls }, 'acme')
    assert.deepEqual(await fixture.router.apply([route]), [])
    assert.match((await fixture.router.routes())[0]?.problem ?? '', /is being asked for/)
    await until('no certificate from the ACME server', async () => (await fixture.router.routes())[0]?.problem === null)
    const { stdout } = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'www.acme.test'], {
      input: '',
      encoding: 'utf8',
    })
    const [block = ''] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(stdout) ?? []
    const certificate = new X509Certificate(block)
    assert.match(certificate.issuer, /Pebble/)
    assert.equal(certificate.subjectAltName, 'DNS:acme.test, DNS:www.acme.test')
    assert.equal((await curl('-k', ...https('acme.test', port))).status, 200)
    // The proof is not answered any more.
    assert.notEqual((await curl(`http://127.0.0.1:${acmePort}/.well-known/acme-challenge/x`)).status, 200)
    const again = await openCertificates({ directory: join(directory, 'keys'), clock, random: systemRandom(), log: silentLog() })
    const { byRoute } = await again.current([{ routeId: 'acme', hosts: route.rule?.hosts ?? [], tls }])
    assert.equal(new X509Certificate(byRoute.get('acme')?.pem ?? '').serialNumber, certificate.serialNumber)
    again[Symbol.dispose]()
    for (const name of readdirSync(join(directory, 'keys')))
      assert.equal(statSync(join(directory, 'keys', name)).mode & 0o77, 0, name)
  })

  it('say why an ACME server refuses', async () => {
    const port = await fixture.port()
    // The proof is asked for where nobody listens.
    const tls = {
      certificate: { type: 'acme', directoryUrl: acme.directoryUrl, email: null },
      minVersion: '1.2',
      redirectFromPort: await fixture.port(),
    } as const
    await fixture.router.apply([httpRoute(port, [], { hosts: ['refused.test'], tls })])
    await until('no reason', async () => /no certificate yet/.test((await fixture.router.routes())[0]?.problem ?? ''))
    assert.match((await fixture.router.routes())[0]?.problem ?? '', /the ACME server says no: .*connection refused/i)
    assert.equal(shown(port, 'refused.test'), 'CN=no certificate for this host')
  })

  it('keep no key where it is not needed any more', async () => {
    const port = await fixture.port()
    await fixture.router.apply([httpRoute(port, [], { hosts: ['last.test'], tls: own })])
    const left = readdirSync(join(fixture.runDir, 'router', 'certificates')).filter((name) => name.endsWith('.pem'))
    assert.equal(left.length, 2, left.join(' '))
    assert.match(readFileSync(join(fixture.runDir, 'router', 'haproxy.cfg'), 'utf8'), /crt-list/)
  })
})
