import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, test } from 'node:test'

import { gather, registryRig, type RegistryRig } from './registry-fixture.ts'
import { fakeRegistry, sha256, type FakeRegistry } from './registry-server.ts'
import { tarOf } from './snapshots-fixture.ts'

const open: FakeRegistry[] = []
afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close()
})

async function listening(): Promise<FakeRegistry> {
  const registry = await fakeRegistry()
  open.push(registry)
  return registry
}

/** Takes uploads in one PUT, at `place`. `spoil` may cut one off first: it then answers true. */
function takeUploads(
  registry: FakeRegistry,
  place: string,
  spoil: (request: IncomingMessage, response: ServerResponse) => boolean,
) {
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const url = new URL(request.url ?? '', 'http://here')
    if (request.method === 'POST') response.writeHead(202, { location: `${place}/upload?state=a%2Fb` }).end()
    else if (request.method !== 'PUT' || spoil(request, response)) return request.method === 'PUT'
    else {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const digest = url.searchParams.get('digest')
        if (digest === null)
          registry.manifests.set(url.pathname.split('/').at(-1) ?? '', {
            bytes,
            mediaType: request.headers['content-type'] ?? '',
          })
        else registry.blobs.set(digest, bytes)
        response.writeHead(digest === null || digest === sha256(bytes) ? 201 : 400).end()
      })
    }
    return true
  }
}

async function push(rig: RegistryRig, registry: FakeRegistry): Promise<void> {
  const tar = Readable.from([tarOf([{ path: 'big', mode: 0o644, body: randomBytes(2_000_000) }])], { objectMode: false })
  const name = `${registry.host}/team/web`
  await rig.real.images.import({ tar, ref: `${name}:1`, message: '', changes: [], platform: null })
  await gather(rig.registries.push({ name, tag: '1', credentials: null, signal: new AbortController().signal }))
}

test('an upload that breaks is sent again from the start, and what was pushed can be pulled', async () => {
  const registry = await listening()
  let breaks = 2
  registry.intercept = takeUploads(registry, '', (request) => {
    if (!(request.url ?? '').includes('digest') || breaks === 0) return false
    breaks -= 1
    request.once('data', () => request.destroy())
    return true
  })
  using rig = await registryRig()
  await push(rig, registry)
  const ref = `${registry.host}/team/web:1`
  const { id } = rig.real.images.get(ref)
  await rig.real.images.remove(ref, { force: false, noPrune: false })
  await rig.pull(ref)
  assert.equal(rig.real.images.get(ref).id, id)
  assert.deepEqual(readdirSync(join(rig.real.root, 'tmp/registry')), [])
})

test('an upload that is refused fails with the words of the registry and leaves no file', async () => {
  const registry = await listening()
  registry.intercept = takeUploads(registry, '', (request, response) => {
    request.resume()
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ errors: [{ code: 'BLOB_UPLOAD_INVALID', message: 'no room' }] }))
    return true
  })
  using rig = await registryRig()
  await assert.rejects(push(rig, registry), { code: 'registry.refused', message: /blob upload invalid: no room/ })
  assert.deepEqual(readdirSync(join(rig.real.root, 'tmp/registry')), [])
})

test('an upload that leads to another host carries no credentials there', async () => {
  const [registry, store] = [await listening(), await listening()]
  store.intercept = takeUploads(registry, '', () => false)
  const take = takeUploads(registry, `http://${store.host}`, () => false)
  registry.intercept = (request, response) => {
    if (request.headers.authorization !== undefined) return take(request, response)
    response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end()
    return true
  }
  using rig = await registryRig()
  const tar = Readable.from([tarOf([{ path: 'a', mode: 0o644, body: 'a' }])], { objectMode: false })
  const name = `${registry.host}/team/web`
  await rig.real.images.import({ tar, ref: `${name}:1`, message: '', changes: [], platform: null })
  const credentials = { username: 'anna', password: 'secret' }
  await gather(rig.registries.push({ name, tag: '1', credentials, signal: new AbortController().signal }))
  assert.ok(store.seen.length > 0 && store.seen.every(({ authorization }) => authorization === undefined))
})
