import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import fc from 'fast-check'

import { GloveboxError } from '#base'
import { digestHex, digestOf, parseDigest } from '#oci/digest'
import { hostPlatform, MEDIA_TYPES, writeImageConfig } from '#oci/image'

import { createBuilder } from './builder.ts'
import { fakeMachine, streamOf, tarOf, type FakeFiles, type FakeMachine } from './fake-ports.ts'
import { receiveContext } from './index.ts'
import { layoutImage } from './layout-context.ts'

type Blobs = Record<string, Buffer>

function put(blobs: Blobs, content: Buffer | object): { readonly digest: string; readonly size: number } {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
  const digest = digestOf(bytes)
  blobs[`blobs/sha256/${digestHex(parseDigest(digest))}`] = bytes
  return { digest, size: bytes.length }
}

/** A layout with the image `one`, whose only layer is gzipped, as its tag. */
async function layout(
  machine: FakeMachine,
  files: FakeFiles,
  tags: readonly string[] = ['v1'],
): Promise<{ blobs: Blobs; digest: string }> {
  const { config } = await machine.addImage('one', files)
  const blobs: Blobs = {}
  const tar = Buffer.from(await tarOf(files))
  const layer = put(blobs, gzipSync(tar))
  const bytes = Buffer.from(writeImageConfig({ ...config, architecture: hostPlatform().architecture, diffIds: [digestOf(tar)] }))
  const manifest = put(blobs, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...put(blobs, bytes) },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
  })
  const manifests = tags.map((tag) => ({
    mediaType: MEDIA_TYPES.ociManifest,
    ...manifest,
    annotations: { 'org.opencontainers.image.ref.name': tag },
  }))
  blobs['index.json'] = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }))
  return { blobs, digest: manifest.digest }
}

async function treeOf(machine: FakeMachine, blobs: Blobs) {
  const files = Object.fromEntries(Object.entries(blobs).map(([path, bytes]) => [path, { body: bytes, size: bytes.length }]))
  const tar = await tarOf({ Dockerfile: '', ...files })
  return (await receiveContext(streamOf(tar), machine.ports)).tree
}

test('the image of a layout is a base and a source, by tag, by digest, and alone', async () => {
  using machine = fakeMachine()
  const { blobs, digest } = await layout(machine, { etc: null, 'etc/made': 'x' })
  const tree = await treeOf(machine, blobs)
  for (const reference of ['', 'v1', digest]) {
    const found = await layoutImage(tree, reference, hostPlatform(), machine.exchange)
    assert.deepEqual([found.digests, found.config.diffIds.length], [[digest], 1], reference)
  }
  const builder = createBuilder(machine.ports)
  const dockerfile = 'FROM base\nCOPY --from=base /etc/made /copy\n'
  await using context = await receiveContext(streamOf(await tarOf({ Dockerfile: dockerfile })), machine.ports)
  const directories = new Map([['base', { tree, layout: 'v1' }]])
  const { imageId } = await builder.run({ context, directories }, () => undefined)
  assert.equal((await machine.files(machine.image(imageId).diffIds))['copy'], 'x')
})

test('what a layout lacks or belies is refused, and says what there is', async () => {
  using machine = fakeMachine()
  const { blobs } = await layout(machine, { a: 'x' }, ['v1', 'v2'])
  const refused = async (change: (blobs: Blobs) => void, reference: string, why: RegExp) => {
    const changed = { ...blobs }
    change(changed)
    await assert.rejects(layoutImage(await treeOf(machine, changed), reference, hostPlatform(), machine.exchange), (error) => {
      assert.match(`${String(error)} ${error instanceof GloveboxError ? error.hint : ''}`, why)
      return true
    })
  }
  await refused(() => undefined, 'v3', /no tag "v3".*It has v1, v2/s)
  await refused(() => undefined, '', /no tag "latest"/)
  await refused(() => undefined, `sha256:${'0'.repeat(64)}`, /has no sha256:0/)
  await refused((changed) => delete changed['index.json'], 'v1', /no index.json/)
  const manifest =
    Object.keys(blobs).find((path) => blobs[path]?.includes('schemaVersion') === true && path !== 'index.json') ?? ''
  await refused((changed) => (changed[manifest] = Buffer.from('{}')), 'v1', /bytes|digest/)
  await refused((changed) => delete changed[manifest], 'v1', /no blob/)
})

test('whatever an index says, reading it throws errors of the author alone', async () => {
  using machine = fakeMachine()
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (text) => {
      const tree = await treeOf(machine, { 'index.json': Buffer.from(text) })
      await assert.rejects(
        layoutImage(tree, '', hostPlatform(), machine.exchange),
        (error) => error instanceof GloveboxError && error.kind !== 'internal',
      )
    }),
    { numRuns: 40 },
  )
})
