import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { afterEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import type { RawCredentials } from '#engine/registry'

import { registryRig } from './registry-fixture.ts'
import {
  fakeRegistry,
  offerImage,
  offerManifest,
  sha256,
  TYPES,
  type FakeRegistry,
  type ImageDocuments,
} from './registry-server.ts'
import { tarOf } from './snapshots-fixture.ts'

const LAYER = tarOf([
  { path: 'etc/', type: 'directory', mode: 0o755 },
  { path: 'etc/hello', mode: 0o644, body: randomBytes(200_000) },
])
const PASSWORD: RawCredentials = { username: 'anna', password: 'secret' }

const open: FakeRegistry[] = []
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close()
})

async function listening(): Promise<FakeRegistry> {
  const registry = await fakeRegistry()
  open.push(registry)
  return registry
}

/** The pull fails with this code, and nothing of it is left. */
async function refused(
  registry: FakeRegistry,
  code: string,
  more: Parameters<Awaited<ReturnType<typeof registryRig>>['pull']>[1] = {},
): Promise<void> {
  using rig = await registryRig()
  await assert.rejects(rig.pull(`${registry.host}/team/web:1`, more), (error: { code?: string; message?: string }) => {
    assert.equal(error.code, code, error.message)
    return true
  })
  assert.deepEqual(rig.leftovers(), [])
}

const changing = (field: keyof ImageDocuments, values: Record<string, unknown>) => (documents: ImageDocuments) =>
  void Object.assign(documents[field], values)

test('a layer whose bytes are not those of its digest is never stored', async () => {
  const registry = await listening()
  offerImage(registry, '1', [{ tar: LAYER }])
  registry.blobs.set(sha256(LAYER), Buffer.concat([LAYER.subarray(0, -1), Buffer.from('x')]))
  await refused(registry, 'digest.mismatch')
})

test('a layer that is longer than promised is cut off', async () => {
  const registry = await listening()
  offerImage(registry, '1', [{ tar: LAYER }], ({ manifest }) => {
    manifest['layers'] = [{ mediaType: TYPES.layer, digest: sha256(LAYER), size: 1000 }]
  })
  await refused(registry, 'digest.size_mismatch')
})

test('a layer that never comes to its end fails after a bounded number of tries', async () => {
  const registry = await listening()
  offerImage(registry, '1', [{ tar: LAYER }], ({ manifest }) => {
    manifest['layers'] = [{ mediaType: TYPES.layer, digest: sha256(LAYER), size: LAYER.length + 512 }]
  })
  await refused(registry, 'registry.connection_lost')
  assert.ok(registry.seen.length < 20, `${registry.seen.length} requests`)
})

test('a manifest that came in place of the one asked for by digest is refused', async () => {
  const registry = await listening()
  const digest = offerImage(registry, '1', [{ tar: LAYER }])
  const other = registry.manifests.get(offerImage(registry, '2', []))
  if (other !== undefined) registry.manifests.set(digest, other)
  using rig = await registryRig()
  await assert.rejects(rig.pull(`${registry.host}/team/web@${digest}`), { code: 'digest.mismatch' })
})

const CONFUSED: readonly (readonly [title: string, code: string, (documents: ImageDocuments) => void])[] = [
  ['with layers and manifests at once', 'manifest.ambiguous', changing('manifest', { manifests: [] })],
  ['that calls itself what its header does not', 'manifest.ambiguous', changing('manifest', { mediaType: TYPES.index })],
  ['with fewer layers than its configuration', 'registry.layers_mismatch', changing('manifest', { layers: [] })],
  [
    'with a configuration of another type',
    'registry.artifact_unsupported',
    changing('manifest', { config: { mediaType: 'text/plain' } }),
  ],
  [
    'with the configuration of a chart',
    'registry.artifact_unsupported',
    changing('manifest', { config: { mediaType: 'application/vnd.cncf.helm.config.v1+json' } }),
  ],
  [
    'whose layer is another than its configuration says',
    'digest.mismatch',
    changing('config', { rootfs: { type: 'layers', diff_ids: [sha256(Buffer.from('other'))] } }),
  ],
]
for (const [title, code, change] of CONFUSED)
  test(`a manifest ${title} is refused`, async () => {
    const registry = await listening()
    offerImage(registry, '1', [{ tar: LAYER }], change)
    await refused(registry, code)
  })

test('a digest that is none is refused before it is part of an address', async () => {
  const upper = `sha256:${'A'.repeat(64)}`
  for (const digest of ['sha256:../../../etc/passwd', upper, `md5:${'a'.repeat(32)}`, `sha512:${'a'.repeat(64)}`, '']) {
    const registry = await listening()
    offerImage(registry, '1', [], changing('manifest', { layers: [{ mediaType: TYPES.layer, digest, size: 1 }] }))
    await refused(registry, 'digest.invalid')
    assert.ok(
      registry.seen.every(({ path }) => !path.includes('blobs')),
      digest,
    )
  }
})

test('a document with a key twice is refused', async () => {
  const registry = await listening()
  offerManifest(registry, '1', Buffer.from(`{"schemaVersion":2,"mediaType":"${TYPES.manifest}","layers":[],"layers":[]}`))
  await refused(registry, 'json.invalid')
})

test('a manifest of a hundred megabytes is not read to its end', async () => {
  const registry = await listening()
  let sentBytes = 0
  registry.intercept = (request, response) => {
    if (!(request.url ?? '').includes('manifests')) return false
    response.setHeader('content-type', TYPES.manifest)
    const chunk = Buffer.alloc(1024 * 1024, 32)
    const more = () => {
      while (sentBytes < 100 * chunk.length && !response.destroyed) {
        sentBytes += chunk.length
        if (!response.write(chunk)) return void response.once('drain', more)
      }
      response.end()
    }
    more()
    return true
  }
  await refused(registry, 'registry.answer_too_large')
  assert.ok(sentBytes < 50 * 1024 * 1024, `${sentBytes} bytes were taken`)
})

test('indexes that lie in each other too deep are refused', async () => {
  const registry = await listening()
  let digest = offerImage(registry, 'inner', [{ tar: LAYER }])
  let [size, mediaType] = [registry.manifests.get(digest)?.bytes.length ?? 0, TYPES.manifest as string]
  for (let depth = 0; depth < 10; depth += 1) {
    const manifests = [{ mediaType, digest, size }]
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests }))
    digest = offerManifest(registry, '1', bytes, TYPES.index)
    size = bytes.length
    mediaType = TYPES.index
  }
  await refused(registry, 'registry.index_too_deep')
  assert.ok(registry.seen.length < 8)
})

test('names that are none reach no registry', async () => {
  const registry = await listening()
  using rig = await registryRig()
  const names = ['team/../web', 'team%2fweb', 'Team/web', `${'x/'.repeat(5000)}y`, 'team/web:a/b', 'team/web:1/../2']
  for (const name of names)
    await assert.rejects(rig.pull(`${registry.host}/${name}`), { code: 'reference.invalid' }, name.slice(0, 40))
  assert.equal(registry.seen.length, 0)
})

test('a layer that lies elsewhere is not fetched from there', async () => {
  const [registry, elsewhere] = [await listening(), await listening()]
  offerImage(
    registry,
    '1',
    [{ tar: LAYER, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar' }],
    ({ manifest }) => {
      Object.assign((manifest['layers'] as object[])[0] ?? {}, { urls: [`http://${elsewhere.host}/layer`] })
    },
  )
  registry.blobs.delete(sha256(LAYER))
  await refused(registry, 'registry.foreign_layer', { credentials: PASSWORD })
  assert.equal(elsewhere.seen.length, 0)
})

test('a redirect to another host is followed without the credentials', async () => {
  const [registry, store] = [await listening(), await listening()]
  offerImage(registry, '1', [{ tar: LAYER }])
  store.blobs.set(sha256(LAYER), LAYER)
  registry.intercept = (request, response) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end()
      return true
    }
    if (!(request.url ?? '').includes(`blobs/${sha256(LAYER)}`)) return false
    response.writeHead(307, { location: `http://${store.host}/blobs/${sha256(LAYER)}` }).end()
    return true
  }
  using rig = await registryRig()
  await rig.pull(`${registry.host}/team/web:1`, { credentials: PASSWORD })
  assert.deepEqual(
    store.seen.map(({ authorization }) => authorization),
    [undefined],
  )
  assert.equal(rig.real.images.list().length, 1)
})

test('redirects that go on for ever, or to other schemes, are refused', async () => {
  for (const location of [
    'http://SELF/v2/loop',
    'file:///etc/passwd',
    'http://example.org/plain',
    'http://user:word@SELF/x',
    '',
  ]) {
    const registry = await listening()
    offerImage(registry, '1', [{ tar: LAYER }])
    registry.intercept = (request, response) => {
      if (!(request.url ?? '').includes('blobs') && !(request.url ?? '').includes('loop')) return false
      response.writeHead(302, { location: location.replace('SELF', registry.host) }).end()
      return true
    }
    await refused(registry, 'registry.redirect_refused')
    assert.ok(registry.seen.length < 12)
  }
})

function asking(registry: FakeRegistry, challenge: string): void {
  registry.intercept = (request, response) => {
    if ((request.url ?? '').startsWith('/token')) {
      response.end(JSON.stringify({ token: 'abc', expires_in: 1e300 }))
      return true
    }
    response.writeHead(401, { 'www-authenticate': challenge.replaceAll('SELF', registry.host) }).end()
    return true
  }
}

test('a registry that is never satisfied is asked a bounded number of times', async () => {
  for (const challenge of ['Bearer realm="http://SELF/token",service="x"', 'Basic realm="x"']) {
    const registry = await listening()
    asking(registry, challenge)
    await refused(registry, 'registry.unauthorized', { credentials: PASSWORD })
    assert.ok(registry.seen.length < 10, `${registry.seen.length} requests`)
  }
})

test('a realm that is no safe place for credentials is refused', async () => {
  for (const realm of [
    'http://tokens.example.org/',
    'ftp://SELF/token',
    'http://user:word@SELF/token',
    'token',
    'http://127.0.0.1.example.org/',
  ]) {
    const registry = await listening()
    asking(registry, `Bearer realm="${realm}",service="x"`)
    await refused(registry, 'registry.realm_refused', { credentials: PASSWORD })
  }
})

test('credentials for a registry that only looks alike are not sent', async () => {
  const registry = await listening()
  for (const serveraddress of [`https://${registry.host}.evil`, 'https://index.docker.io/v1/', 'docker.io.evil'])
    await refused(registry, 'registry.credentials_mismatch', { credentials: { ...PASSWORD, serveraddress } })
  assert.equal(registry.seen.length, 0)
})

test('a token that would end its header line is refused', async () => {
  const registry = await listening()
  asking(registry, 'Bearer realm="http://SELF/token",service="x"')
  const { intercept } = registry
  registry.intercept = (request, response) => {
    if (!(request.url ?? '').startsWith('/token')) return intercept(request, response)
    response.end(JSON.stringify({ token: 'abc\r\nx-evil: 1' }))
    return true
  }
  await refused(registry, 'registry.answer_invalid')
})

test('a layer that grows without measure is stopped', async () => {
  const registry = await listening()
  const zeros = Buffer.alloc(257 * 1024 * 1024)
  const bytes = gzipSync(zeros)
  offerImage(registry, '1', [{ tar: LAYER, bytes, mediaType: TYPES.gzip }])
  await refused(registry, 'content.bomb')
})
