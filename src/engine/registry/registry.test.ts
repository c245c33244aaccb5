import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { limiter, GloveboxError, memoryRecords, type Digest } from '#base'

import { parseChallenges } from './challenge.ts'
import { readCredentials, registryOfAddress } from './credentials.ts'
import { isInsecure, planEndpoints, readInsecure, readMirror, type RegistryOptions } from './endpoints.ts'
import { openKnownBlobs } from './known-blobs.ts'
import { planManifest } from './push-manifest.ts'
import { readRealm } from './realm.ts'
import { followRedirect } from './redirect.ts'
import { readRefusal, refusalError } from './refusal.ts'

const NOTHING: RegistryOptions = { mirrors: [], insecure: [] }
const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest

test('challenges are read with quoted and plain parameters, several in one header', () => {
  const [bearer, basic] = parseChallenges(
    'Bearer realm="https://a.example/t?x=1,2",service="a \\"b\\"", scope=x , Basic realm="r"',
  )
  assert.equal(bearer?.scheme, 'bearer')
  assert.deepEqual(Object.fromEntries(bearer?.parameters ?? []), {
    realm: 'https://a.example/t?x=1,2',
    service: 'a "b"',
    scope: 'x',
  })
  assert.equal(basic?.scheme, 'basic')
  assert.deepEqual(
    parseChallenges('Negotiate').map(({ scheme }) => scheme),
    ['negotiate'],
  )
  assert.equal(parseChallenges('Bearer realm="a", realm="b"')[0]?.parameters.get('realm'), 'a')
})

test('any text is read as challenges in bounded time without an error', () => {
  const piece = fc.constantFrom('Bearer', ' ', ',', '"', '\\', '=', 'realm', 'x', '\t', '\0', 'é')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 200 }).map((parts) => parts.join('')),
      ),
      (text) => void parseChallenges(text),
    ),
  )
  parseChallenges(`Bearer ${'realm="\\'.repeat(1000)}`)
  assert.deepEqual(parseChallenges('B'.repeat(100_000)), [])
})

test('plain HTTP comes second, and only for this machine and for what was configured', () => {
  const origins = (registry: string, options = NOTHING) => planEndpoints(registry, options, 'pull').map(({ origin }) => origin)
  assert.deepEqual(origins('registry.example.org'), ['https://registry.example.org'])
  for (const host of ['localhost:5000', '127.0.0.1', '127.3.2.1:80', '[::1]:5000'])
    assert.deepEqual(origins(host), [`https://${host}`, `http://${host}`])
  for (const host of ['localhost.evil', '127.0.0.1.evil', 'xlocalhost']) assert.deepEqual(origins(host), [`https://${host}`])
  const insecure = { mirrors: [], insecure: ['10.0.0.0/8', 'lab.example.org:5000'] }
  assert.equal(origins('10.1.2.3:5000', insecure).length, 2)
  assert.equal(origins('lab.example.org:5000', insecure).length, 2)
  assert.equal(origins('lab.example.org', insecure).length, 1)
  assert.equal(origins('11.0.0.1', insecure).length, 1)
})

test('mirrors come before the default registry, for pulls of it alone', () => {
  const options = { mirrors: ['https://mirror.example.org'], insecure: [] }
  assert.deepEqual(
    planEndpoints('docker.io', options, 'pull').map(({ origin, isMirror }) => [origin, isMirror]),
    [
      ['https://mirror.example.org', true],
      ['https://registry-1.docker.io', false],
    ],
  )
  assert.equal(planEndpoints('docker.io', options, 'push').length, 1)
  assert.equal(planEndpoints('other.example.org', options, 'pull').length, 1)
})

test('options that are no registries are refused', () => {
  assert.equal(readMirror('https://mirror.example.org:8443/'), 'https://mirror.example.org:8443')
  for (const text of ['mirror.example.org', 'ftp://x', 'https://user@x', 'https://x/path', 'https://x?y', ''])
    assert.throws(() => readMirror(text), { code: 'registry.option_invalid' }, text)
  for (const text of ['lab:5000', '10.0.0.0/8', '[::1]:5000', 'fd00::/8']) assert.equal(readInsecure(text), text)
  for (const text of ['http://lab', '10.0.0.0/33', 'a/b', '', '10.0.0.0/8/8'])
    assert.throws(() => readInsecure(text), { code: 'registry.option_invalid' }, text)
})

test('credentials are read in every form that clients send', () => {
  const host = 'r.example.org'
  assert.deepEqual(readCredentials({ username: 'a', password: 'b:c' }, host), {
    kind: 'password',
    username: 'a',
    password: 'b:c',
  })
  const auth = Buffer.from('a:b:c').toString('base64')
  assert.deepEqual(readCredentials({ auth, serveraddress: host }, host), { kind: 'password', username: 'a', password: 'b:c' })
  assert.deepEqual(readCredentials({ identitytoken: 't', username: 'a', password: 'b' }, host), { kind: 'identity', token: 't' })
  assert.deepEqual(readCredentials({ registrytoken: 't' }, host), { kind: 'bearer', token: 't' })
  // An empty form names whatever registry: there is nothing to send.
  assert.deepEqual(readCredentials({ serveraddress: 'elsewhere' }, host), { kind: 'none' })
  assert.equal(registryOfAddress('https://index.docker.io/v1/'), 'docker.io')
})

test('safety: whatever address credentials name, they are given only to that very host', () => {
  const host = fc.stringMatching(/^[a-z.]{1,12}(:[0-9]{1,5})?$/)
  fc.assert(
    fc.property(host, host, (registry, other) => {
      const read = () => readCredentials({ username: 'a', password: 'b', serveraddress: `https://${other}/v2/` }, registry)
      if (registryOfAddress(other) === registry) assert.equal(read().kind, 'password')
      else assert.throws(read, { code: 'registry.credentials_mismatch' })
    }),
  )
})

test('safety: neither realms nor redirects lead from HTTPS to plain HTTP, whatever they say', () => {
  const location = fc.oneof(
    fc.string(),
    fc.webUrl({ validSchemes: ['http', 'https'] }),
    fc.constantFrom('//x/y', '/path', 'http:x', 'https:/x'),
  )
  const endpoint = { origin: 'https://r.example.org', host: 'r.example.org', isMirror: false, isAnyCertificateFine: false }
  fc.assert(
    fc.property(location, (text) => {
      for (const lead of [
        () => readRealm(text, endpoint.origin, NOTHING),
        () => followRedirect(new URL(endpoint.origin), text, endpoint, NOTHING),
      ])
        try {
          assert.equal(lead().protocol, 'https:')
        } catch (error) {
          assert.ok(error instanceof GloveboxError, String(error))
        }
    }),
  )
  assert.equal(isInsecure('127.0.0.1:5000', NOTHING), true)
})

test('refusals become errors with the words of the registry', () => {
  const body = (code: string, message: string) => Buffer.from(JSON.stringify({ errors: [{ code, message, detail: null }] }))
  const error = (status: number, bytes: Buffer, header = '') =>
    refusalError(readRefusal(status, bytes, parseChallenges(header)), 'x')
  assert.equal(error(404, body('MANIFEST_UNKNOWN', 'manifest unknown')).message, 'x: manifest unknown: manifest unknown')
  assert.equal(error(404, body('NAME_UNKNOWN', 'no')).code, 'registry.repository_unknown')
  assert.equal(error(401, body('UNAUTHORIZED', 'sign in'), 'Bearer error="insufficient_scope"').code, 'registry.denied')
  assert.equal(error(401, Buffer.from('<html>')).code, 'registry.unauthorized')
  assert.equal(error(429, Buffer.alloc(0)).code, 'registry.overloaded')
  assert.equal(error(418, Buffer.alloc(0)).code, 'registry.refused')
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 599 }), fc.uint8Array(), (status, bytes) => void error(status, Buffer.from(bytes))),
  )
})

test('a manifest is of schema 2, and of OCI where a layer is zstd', () => {
  const config = { digest: digest('a'), sizeBytes: 10 }
  const gzip = { digest: digest('b'), sizeBytes: 20, compression: 'gzip' as const }
  assert.equal(planManifest(config, [gzip]).mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
  const mixed = planManifest(config, [gzip, { ...gzip, compression: 'zstd' }])
  assert.equal(mixed.mediaType, 'application/vnd.oci.image.manifest.v1+json')
  assert.deepEqual(
    (JSON.parse(mixed.bytes.toString()) as { layers: { mediaType: string }[] }).layers.map(
      ({ mediaType }) => mediaType.split('+')[1],
    ),
    ['gzip', 'zstd'],
  )
  assert.deepEqual(planManifest(config, [gzip]).bytes, planManifest(config, [gzip]).bytes)
})

test('forms of a layer are remembered newest first, within bounds', () => {
  const known = openKnownBlobs(memoryRecords(), () => true)
  for (const letter of '0123456789')
    known.remember(digest('a'), { digest: digest(letter), sizeBytes: 1, compression: 'gzip' }, 'r/one')
  assert.deepEqual(
    known.formsOf(digest('a')).map((form) => form.digest),
    ['9', '8', '7', '6'].map(digest),
  )
  known.remember(digest('a'), { digest: digest('8'), sizeBytes: 1, compression: 'gzip' }, 'r/two')
  assert.deepEqual(known.formsOf(digest('a'))[0]?.homes, ['r/two', 'r/one'])
  known.forget(digest('a'), digest('8'), 'r/two')
  assert.deepEqual(known.formsOf(digest('a'))[0]?.homes, ['r/one'])
})

test('a limiter lets no more run than it was told, and everything in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.boolean(), { maxLength: 20 }), async (atOnce, works) => {
      const turns = limiter(atOnce)
      let [running, most] = [0, 0]
      const outcomes = await Promise.allSettled(
        works.map((isFailing) =>
          turns.run(async () => {
            running += 1
            most = Math.max(most, running)
            await Promise.resolve()
            running -= 1
            if (isFailing) throw new Error('as planned')
          }),
        ),
      )
      assert.equal(outcomes.length, works.length)
      assert.ok(most <= atOnce)
      assert.equal(running, 0)
    }),
  )
})
