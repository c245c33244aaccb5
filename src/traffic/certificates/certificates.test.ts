import assert from 'node:assert/strict'
import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import fc from 'fast-check'

import { seededRandom, silentLog, systemClock, virtualClock, type Clock } from '#base'
import type { AcmeAnswer, AcmeTransport } from './acme-http.ts'
import { newKey, openAuthority } from './authority.ts'
import { makeBundle, readBundle } from './bundle.ts'
import { openCertificates } from './certificates.ts'
import { integer, objectId } from './der.ts'
import { keyFiles } from './files.ts'
import type { CertificateWish } from './port.ts'

const DAY_MS = 86_400_000
let directory = ''

/** An ACME server that does what it is told, and sees what it was sent. It signs with a CA of its own. */
function fakeServer(issue: (hosts: readonly string[]) => string) {
  const seen = { orders: 0, nonces: 0, isBroken: false, proofs: [] as string[] }
  let hosts: readonly string[] = []
  let isProven = false
  let isFinal = false
  const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): AcmeAnswer => {
    const all: Readonly<Record<string, string>> = { 'replay-nonce': `n${(seen.nonces += 1)}`, ...headers }
    return { status, header: (name) => all[name], body: typeof body === 'string' ? body : JSON.stringify(body) }
  }
  const post = (url: string, body: string): AcmeAnswer => {
    const sent = JSON.parse(body) as { readonly protected: string; readonly payload: string; readonly signature: string }
    const head = JSON.parse(Buffer.from(sent.protected, 'base64url').toString()) as {
      readonly jwk?: Readonly<Record<string, string>>
      readonly url: string
    }
    assert.equal(head.url, url)
    if (head.jwk !== undefined) {
      const key = createPublicKey({ key: { ...head.jwk }, format: 'jwk' })
      assert.ok(
        verify(
          'sha256',
          Buffer.from(`${sent.protected}.${sent.payload}`),
          { key, dsaEncoding: 'ieee-p1363' },
          Buffer.from(sent.signature, 'base64url'),
        ),
      )
    }
    if (seen.nonces === 2) return answer(400, { type: 'urn:ietf:params:acme:error:badNonce', detail: 'old' })
    const payload =
      sent.payload === '' ? null : (JSON.parse(Buffer.from(sent.payload, 'base64url').toString()) as Record<string, unknown>)
    switch (new URL(url).pathname) {
      case '/account':
        return answer(201, {}, { location: 'https://ca.test/account/1' })
      case '/order':
        seen.orders += 1
        isProven = isFinal = false
        hosts = ((payload ?? {})['identifiers'] as readonly { value: string }[]).map(({ value }) => value)
        return answer(
          201,
          { authorizations: ['https://ca.test/authz'], finalize: 'https://ca.test/finalize' },
          { location: 'https://ca.test/order/1' },
        )
      case '/authz':
        if (seen.isBroken && isProven)
          return answer(200, { status: 'invalid', challenges: [{ type: 'http-01', error: { detail: 'nobody is there' } }] })
        return answer(200, {
          status: isProven ? 'valid' : 'pending',
          challenges: [{ type: 'dns-01' }, { type: 'http-01', url: 'https://ca.test/challenge', token: 'tok_1' }],
        })
      case '/challenge':
        isProven = true
        return answer(200, {})
      case '/finalize':
        isFinal = true
        return answer(200, {})
      case '/order/1':
        return answer(200, { status: isFinal ? 'valid' : 'pending', certificate: 'https://ca.test/certificate' })
      case '/certificate':
        return answer(200, issue(hosts))
      default:
        return answer(404, { type: 'malformed', detail: url })
    }
  }
  const transport: AcmeTransport = {
    send: async (method, url, body) => {
      if (method === 'POST') return await Promise.resolve(post(url, body ?? ''))
      return answer(200, {
        newNonce: 'https://ca.test/nonce',
        newAccount: 'https://ca.test/account',
        newOrder: 'https://ca.test/order',
      })
    },
  }
  return { transport, seen }
}

describe('certificates', () => {
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'gbx-ca-'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  it('of the own CA are good for exactly their hosts, and signed by it', async () => {
    const clock = virtualClock(Date.parse('2030-01-01'))
    const authority = await openAuthority(keyFiles(join(directory, 'a')), clock, seededRandom(1))
    const ca = new X509Certificate(authority.certificate)
    assert.ok(ca.ca && ca.verify(ca.publicKey))
    const label = fc.constantFrom('a', 'shop', 'x-1', 'example', 'test')
    const host = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'))
    fc.assert(
      fc.property(fc.uniqueArray(host, { minLength: 1, maxLength: 5 }), (hosts) => {
        const bundle = authority.issue([...hosts, '*.wild.test'])
        const leaf = new X509Certificate(bundle.pem)
        assert.ok(leaf.checkIssued(ca) && leaf.verify(ca.publicKey) && !leaf.ca)
        for (const name of [...hosts, 'one.wild.test']) assert.notEqual(leaf.checkHost(name), undefined, name)
        assert.equal(leaf.checkHost('other.example.org'), undefined)
        assert.equal(Math.round((bundle.untilMs - bundle.fromMs) / DAY_MS), 90)
      }),
      { numRuns: 25 },
    )
    const again = await openAuthority(keyFiles(join(directory, 'a')), clock, seededRandom(2))
    assert.equal(again.certificate, authority.certificate)
  })

  it('are encoded as X.690 says at its corners', () => {
    assert.equal(integer(Buffer.from([0, 0, 0x80])).toString('hex'), '02020080')
    assert.equal(integer(Buffer.alloc(3)).toString('hex'), '020100')
    assert.equal(objectId('1.2.840.10045.4.3.2').toString('hex'), '06082a8648ce3d040302')
  })

  it('from files are refused with another key, and carry nothing else over', async () => {
    const authority = await openAuthority(keyFiles(join(directory, 'b')), virtualClock(), seededRandom(1))
    const { pem } = authority.issue(['x.test'])
    const read = readBundle('x', `# a remark\n\nshow info\n${pem}`)
    assert.ok(!read.pem.includes('show info'))
    assert.throws(() => makeBundle('x', pem, newKey()), { code: 'certificate.invalid' })
    assert.throws(() => makeBundle('x', 'nothing', newKey()), /x: there is no certificate in it/)
    fc.assert(fc.property(fc.string(), (text) => assert.throws(() => readBundle('x', text), { code: 'certificate.invalid' })))
  })

  it('are renewed after two thirds of their life', async () => {
    const open = async (clock: Clock) =>
      await openCertificates({ directory: join(directory, 'c'), clock, random: seededRandom(1), log: silentLog() })
    const wish: CertificateWish = {
      routeId: 'r',
      hosts: ['a.test'],
      tls: { certificate: { type: 'own' }, minVersion: '1.2', redirectFromPort: null },
    }
    const startMs = Date.parse('2030-01-01')
    const young = await open(virtualClock(startMs))
    const first = (await young.current([wish])).byRoute.get('r')
    young[Symbol.dispose]()
    // It is good since an hour before it was made.
    const clock = virtualClock(startMs + 60 * DAY_MS - 3_600_000 - 60_000)
    const old = await open(clock)
    let changes = 0
    old.connect({ publish: async () => await Promise.resolve(), changed: () => (changes += 1) })
    assert.equal((await old.current([wish])).byRoute.get('r')?.pem, first?.pem)
    await clock.advance(50_000)
    assert.equal(changes, 0)
    await clock.advance(20_000)
    assert.ok(changes > 0)
    const second = (await old.current([wish])).byRoute.get('r')
    assert.equal(second?.id, first?.id)
    assert.notEqual(second?.pem, first?.pem)
    old[Symbol.dispose]()
  })

  it('of ACME are asked for once, and again after a failure, which says why; one with a key of somebody else is refused', async () => {
    // Its files are real: a turn of the loop is not enough for them.
    const clock = virtualClock(undefined, async () => await systemClock().sleep(5))
    const authority = await openAuthority(keyFiles(join(directory, 'd-ca')), clock, seededRandom(1))
    // The answer has to carry the key of the request, which only the client has: a stranger's certificate is refused.
    const { transport, seen } = fakeServer((hosts) => authority.issue(hosts).pem)
    const certificates = await openCertificates({
      directory: join(directory, 'd'),
      clock,
      random: seededRandom(1),
      log: silentLog(),
      transport,
    })
    const published: (string | null)[] = []
    certificates.connect({
      publish: async (_token, text) => await Promise.resolve(void published.push(text)),
      changed: () => undefined,
    })
    const wish: CertificateWish = {
      routeId: 'r',
      hosts: ['a.test'],
      tls: {
        certificate: { type: 'acme', directoryUrl: 'https://ca.test/dir', email: null },
        minVersion: '1.2',
        redirectFromPort: 80,
      },
    }
    const problem = async () => (await certificates.current([wish])).problems.get('r') ?? ''
    const until = async (isSo: () => Promise<boolean>) => {
      for (let tries = 0; tries < 200 && !(await isSo()); tries += 1) await clock.advance(10)
    }
    seen.isBroken = true
    assert.equal(await problem(), 'its certificate is being asked for')
    await clock.advance(5000)
    await until(async () => (await problem()) !== 'its certificate is being asked for')
    assert.match(await problem(), /^no certificate yet: the ACME server says no: nobody is there$/)
    assert.equal(published.length, 2)
    assert.match(published[0] ?? '', /^tok_1\.[\w-]{43}$/)
    assert.equal(published[1], null)
    assert.equal(seen.orders, 1)
    await clock.advance(30_000)
    assert.equal(seen.orders, 1)
    seen.isBroken = false
    await clock.advance(40_000)
    await until(async () => /the key is not/.test(await problem()))
    assert.equal(seen.orders, 2)
    assert.match(await problem(), /the key is not that of the first certificate/)
    certificates[Symbol.dispose]()
  })
})
