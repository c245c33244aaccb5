import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { registryRig } from './registry-fixture.ts'
import { fakeRegistry, offerImage, offerManifest, sha256, TYPES, type FakeRegistry } from './registry-server.ts'
import { tarOf } from './snapshots-fixture.ts'

const layer = (name: string, sizeBytes = 1000) => tarOf([{ path: name, mode: 0o644, body: randomBytes(sizeBytes) }])

const open: FakeRegistry[] = []
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close()
})

async function listening(): Promise<FakeRegistry> {
  const registry = await fakeRegistry()
  open.push(registry)
  return registry
}

test('plain, gzip and zstd layers come whole, and a second pull fetches none of them', async () => {
  const registry = await listening()
  const [plain, zipped, packed] = [layer('a'), layer('b'), layer('c')]
  const digest = offerImage(registry, '1', [
    { tar: plain },
    { tar: zipped, bytes: gzipSync(zipped), mediaType: TYPES.gzip },
    { tar: packed, bytes: zstdCompressSync(packed), mediaType: TYPES.zstd },
  ])
  using rig = await registryRig()
  const ref = `${registry.host}/team/web:1`
  const steps = await rig.pull(ref)
  const image = rig.real.images.get(ref)
  assert.deepEqual(
    image.layers.map(({ diffId }) => diffId),
    [plain, zipped, packed].map(sha256),
  )
  assert.deepEqual(image.repoDigests, [`${registry.host}/team/web@${digest}`])
  const texts = steps.flatMap((step) => (step.type === 'status' ? [step.text] : []))
  assert.deepEqual(texts, ['Pulling from team/web', `Digest: ${digest}`, `Status: Downloaded newer image for ${ref}`])
  const before = registry.seen.length
  const again = await rig.pull(ref)
  assert.ok(again.some((step) => step.type === 'status' && step.text === `Status: Image is up to date for ${ref}`))
  assert.ok(registry.seen.slice(before).every(({ path }) => !path.includes('blobs')))
})

test('a layer that another image brought is not fetched again', async () => {
  const registry = await listening()
  const [shared, own] = [layer('shared'), layer('own')]
  offerImage(registry, '1', [{ tar: shared }])
  offerImage(registry, '2', [{ tar: shared }, { tar: own }])
  using rig = await registryRig()
  await rig.pull(`${registry.host}/team/web:1`)
  await rig.pull(`${registry.host}/team/web:2`)
  assert.equal(registry.seen.filter(({ path }) => path.includes(sha256(shared))).length, 1)
})

test('a download goes on where the connection broke, and from the start where ranges are unknown', async () => {
  for (const knowsRanges of [true, false]) {
    const registry = await listening()
    const big = layer('big', 3_000_000)
    offerImage(registry, '1', [{ tar: big }])
    let breaks = 3
    registry.intercept = (request, response) => {
      if (!(request.url ?? '').includes(sha256(big))) return false
      const start = knowsRanges ? Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0) : 0
      const rest = big.subarray(start)
      if (start > 0) response.writeHead(206, { 'content-range': `bytes ${start}-${big.length - 1}/${big.length}` })
      else response.writeHead(200, { 'content-length': big.length })
      if (breaks === 0) response.end(rest)
      else response.write(rest.subarray(0, 700_000), () => setTimeout(() => response.destroy(), 20))
      breaks = Math.max(0, breaks - 1)
      return true
    }
    using rig = await registryRig()
    await rig.pull(`${registry.host}/team/web:1`)
    assert.equal(rig.real.images.list()[0]?.layers[0]?.diffId, sha256(big))
    const ranges = registry.seen.filter(({ path }) => path.includes(sha256(big))).map(({ range }) => range !== undefined)
    assert.deepEqual(ranges, [false, true, true, true])
  }
})

test('the platform is chosen out of an index, and one that is not offered is an error', async () => {
  const registry = await listening()
  const entries = ['amd64', 'arm64'].map((architecture) => {
    const digest = offerImage(
      registry,
      architecture,
      [{ tar: layer(architecture) }],
      ({ config }) => void (config['architecture'] = architecture),
    )
    const size = registry.manifests.get(digest)?.bytes.length
    return { mediaType: TYPES.manifest, digest, size, platform: { os: 'linux', architecture } }
  })
  const attestation = { ...entries[0], platform: { os: 'unknown', architecture: 'unknown' } }
  const index = { schemaVersion: 2, mediaType: TYPES.index, manifests: [attestation, ...entries] }
  const digest = offerManifest(registry, '1', Buffer.from(JSON.stringify(index)), TYPES.index)
  using rig = await registryRig()
  const ref = `${registry.host}/team/web:1`
  await rig.pull(ref, { platform: 'linux/arm64' })
  assert.equal(rig.real.images.get(ref).architecture, 'arm64')
  await rig.pull(ref, { platform: 'linux/amd64' })
  assert.equal(rig.real.images.get(ref).architecture, 'amd64')
  assert.deepEqual(rig.real.images.get(ref).repoDigests, [`${registry.host}/team/web@${digest}`])
  await assert.rejects(rig.pull(ref, { platform: 'linux/s390x' }), {
    code: 'registry.platform_missing',
    message: 'no matching manifest for linux/s390x in the manifest list entries',
  })
})

test('what a registry refuses for a moment is asked for again', async () => {
  const registry = await listening()
  offerImage(registry, '1', [{ tar: layer('a') }])
  let refusals = 3
  registry.intercept = (request, response) => {
    if (!(request.url ?? '').includes('manifests') || refusals === 0) return false
    refusals -= 1
    response.writeHead(refusals === 1 ? 429 : 503, { 'retry-after': '1' }).end()
    return true
  }
  using rig = await registryRig()
  await rig.pull(`${registry.host}/team/web:1`)
  assert.equal(rig.real.images.list().length, 1)
})

test('an identity token is exchanged at the realm and never sent to the registry', async () => {
  const [registry, tokens] = [await listening(), await listening()]
  offerImage(registry, '1', [{ tar: layer('a') }])
  const forms: string[] = []
  tokens.intercept = (request, response) => {
    request.on('data', (chunk: Buffer) => forms.push(chunk.toString()))
    request.on('end', () => response.end(JSON.stringify({ access_token: 'short', expires_in: 300 })))
    return true
  }
  registry.intercept = (request, response) => {
    if (request.headers.authorization === 'Bearer short') return false
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/token",service="here"` }).end()
    return true
  }
  using rig = await registryRig()
  await rig.pull(`${registry.host}/team/web:1`, { credentials: { identitytoken: 'long' } })
  assert.equal(forms.length, 1)
  assert.equal(new URLSearchParams(forms[0]).get('refresh_token'), 'long')
  assert.equal(new URLSearchParams(forms[0]).get('scope'), 'repository:team/web:pull')
  assert.ok(registry.seen.every(({ authorization }) => authorization === undefined || authorization === 'Bearer short'))
})

test('mirrors are asked first, without credentials, and left when they do not have it', async () => {
  const mirror = await listening()
  offerImage(mirror, '1', [{ tar: layer('a') }])
  using rig = await registryRig({ mirrors: [`http://${mirror.host}`] })
  await rig.pull('debian:1', { credentials: { username: 'anna', password: 'secret' } })
  assert.deepEqual(rig.real.images.list()[0]?.tags, ['debian:1'])
  assert.ok(mirror.seen.every(({ authorization, path }) => authorization === undefined && !path.includes('docker.io')))
  assert.ok(mirror.seen.some(({ path }) => path === '/v2/library/debian/manifests/1'))
})

test('a cancelled pull ends soon and leaves nothing', async () => {
  const registry = await listening()
  const big = layer('big', 2_000_000)
  offerImage(registry, '1', [{ tar: big }])
  const stop = new AbortController()
  registry.intercept = (request, response) => {
    if (!(request.url ?? '').includes(sha256(big))) return false
    response.writeHead(200, { 'content-length': big.length })
    response.write(big.subarray(0, 1_000_000), () => setTimeout(() => stop.abort(), 50))
    return true
  }
  using rig = await registryRig()
  const pull = rig.registries.pull({ ref: `${registry.host}/team/web:1`, platform: null, credentials: null, signal: stop.signal })
  await assert.rejects(
    async () => {
      for await (const _step of pull);
    },
    { code: 'operation.cancelled' },
  )
  assert.deepEqual(rig.leftovers(), [])
})
