import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import fc from 'fast-check'

import { digestHex, digestOf } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

import { configJson, gather, imagesRig, loadAll, stream, tarOf, type ArchiveContent } from '../test-rig.ts'

const base = await tarOf({ 'etc/os-release': 'ID=test\n' })
const top = await tarOf({ 'app/run': '#!/bin/sh\n' })
const config = configJson([base, top])
const id = digestOf(config)
const blob = (bytes: Uint8Array) => `blobs/sha256/${digestHex(digestOf(bytes))}`
const describe = (mediaType: string, bytes: Uint8Array, extra: object = {}) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
  ...extra,
})
const json = (value: unknown) => Buffer.from(JSON.stringify(value))

/** As Docker wrote until version 24. */
const oldDockerSave: ArchiveContent = {
  'aa/VERSION': '1.0',
  'aa/layer.tar': base,
  'bb/layer.tar': top,
  [`${digestHex(id)}.json`]: config,
  'manifest.json': json([
    {
      Config: `${digestHex(id)}.json`,
      RepoTags: ['web:1', 'registry.example.org/web:1'],
      Layers: ['aa/layer.tar', 'bb/layer.tar'],
    },
  ]),
  repositories: '{}',
}

const manifest = json({
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: describe(MEDIA_TYPES.ociConfig, config),
  layers: [describe(MEDIA_TYPES.ociLayerGzip, gzipSync(base)), describe(MEDIA_TYPES.ociLayerZstd, zstdCompressSync(top))],
})
const layoutWith = (index: unknown, extra: ArchiveContent = {}): ArchiveContent => ({
  'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
  'index.json': json(index),
  [blob(config)]: config,
  [blob(manifest)]: manifest,
  [blob(gzipSync(base))]: gzipSync(base),
  [blob(zstdCompressSync(top))]: zstdCompressSync(top),
  ...extra,
})
const indexOf = (...manifests: readonly object[]) => ({ schemaVersion: 2, manifests })
const ociLayout = layoutWith(
  indexOf(
    describe(MEDIA_TYPES.ociManifest, manifest, {
      annotations: { 'io.containerd.image.name': 'docker.io/library/web:1', 'org.opencontainers.image.ref.name': '1' },
    }),
  ),
)

test('docker save of old and OCI layouts give the same image', async () => {
  for (const files of [oldDockerSave, ociLayout]) {
    using rig = imagesRig()
    const progress = await loadAll(rig.images, await tarOf(files))
    const last = progress.at(-1)
    assert.equal(last?.type, 'loaded')
    const image = rig.images.get('web:1')
    assert.equal(image.id, id)
    assert.deepEqual(
      image.layers,
      [base, top].map((layer) => ({ diffId: digestOf(layer), sizeBytes: layer.length })),
    )
    assert.equal(image.config.labels['made'], 'by hand')
    assert.deepEqual(rig.mountable, new Set([digestOf(base), digestOf(top)]))
    assert.ok(progress.some((one) => one.type === 'layer' && one.currentBytes === one.totalBytes))
    assert.deepEqual(rig.leftovers(), [])
    assert.deepEqual(
      rig.events.map(({ action, actorId }) => [action, actorId]),
      [['load', id]],
    )
  }
})

test('the archive itself may be compressed', async () => {
  for (const compress of [gzipSync, zstdCompressSync]) {
    using rig = imagesRig()
    await loadAll(rig.images, compress(await tarOf(oldDockerSave)))
    assert.deepEqual(rig.images.get('web:1').tags, ['web:1', 'registry.example.org/web:1'])
  }
})

test('a nested index with attestations gives the image for this machine', async () => {
  const host = process.arch === 'x64' ? 'amd64' : 'arm64'
  const other = host === 'amd64' ? 'arm64' : 'amd64'
  const nested = json(
    indexOf(
      describe(MEDIA_TYPES.ociManifest, Buffer.from('not here'), { platform: { os: 'linux', architecture: other } }),
      describe(MEDIA_TYPES.ociManifest, Buffer.from('nor this'), {
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      }),
      describe(MEDIA_TYPES.ociManifest, manifest, { platform: { os: 'linux', architecture: host } }),
    ),
  )
  const files = layoutWith(
    indexOf(describe(MEDIA_TYPES.ociIndex, nested, { annotations: { 'org.opencontainers.image.ref.name': 'latest' } })),
    {
      [blob(nested)]: nested,
    },
  )
  using rig = imagesRig()
  const loaded = (await loadAll(rig.images, await tarOf(files))).at(-1)
  assert.ok(loaded?.type === 'loaded' && loaded.image.id === id && loaded.ref === null, 'a tag alone is no name')
})

test('the first format is put together from its chain', async () => {
  const [below, above] = ['1'.repeat(64), '2'.repeat(64)]
  using rig = imagesRig()
  await loadAll(
    rig.images,
    await tarOf({
      repositories: json({ old: { '1': above } }),
      [`${below}/json`]: json({ id: below, created: '2014-01-01T00:00:00Z', os: 'linux', architecture: 'amd64' }),
      [`${below}/layer.tar`]: base,
      [`${above}/json`]: json({
        id: above,
        parent: below,
        created: '2014-01-02T00:00:00Z',
        os: 'linux',
        architecture: 'amd64',
        config: { Cmd: ['sh'] },
      }),
      [`${above}/layer.tar`]: top,
    }),
  )
  const image = rig.images.get('old:1')
  assert.deepEqual(
    image.layers.map(({ diffId }) => diffId),
    [digestOf(base), digestOf(top)],
  )
  assert.deepEqual([image.config.cmd, image.created], [['sh'], '2014-01-02T00:00:00Z'])
})

test('a layer that two images share may be a link inside an old archive, and only there', async () => {
  using rig = imagesRig()
  const one = configJson([base])
  const shared: ArchiveContent = {
    'aa/layer.tar': base,
    'cc/layer.tar': { linkTo: '../aa/layer.tar' },
    'c.json': one,
    'manifest.json': json([{ Config: 'c.json', RepoTags: null, Layers: ['cc/layer.tar'] }]),
  }
  await loadAll(rig.images, await tarOf(shared))
  assert.equal(rig.images.get(digestOf(one)).tags.length, 0)
  for (const linkTo of ['../../../../etc/passwd', '/etc/passwd', '../cc/layer.tar', '../absent'])
    await assert.rejects(
      loadAll(
        rig.images,
        await tarOf({
          ...shared,
          'cc/layer.tar': { linkTo },
          'c.json': configJson([top]),
          'manifest.json': shared['manifest.json']!,
        }),
      ),
      {
        code: 'image.archive_invalid',
      },
    )
})

test('layers that look like documents, and files that only look like layers, are what the manifest says they are', async () => {
  using rig = imagesRig()
  const odd = await tarOf({ '{"a":1}': 'a file whose name begins as JSON does' })
  const files: ArchiveContent = {
    'other.tar': Buffer.alloc(4096, 7),
    'other.tgz': gzipSync(Buffer.alloc(100_000, 7)),
    'cut.tar.gz': gzipSync(randomBytes(3000)).subarray(0, -5),
    'big.tar.bz2': Buffer.concat([Buffer.from('BZh91AY'), Buffer.alloc(1000)]),
    'odd.tar': odd,
    'base.tar': base,
    'c.json': configJson([odd, base]),
    'manifest.json': json([{ Config: 'c.json', RepoTags: ['odd:1'], Layers: ['odd.tar', 'base.tar'] }]),
  }
  await loadAll(rig.images, await tarOf(files))
  assert.deepEqual(
    rig.images.get('odd:1').layers.map(({ diffId }) => diffId),
    [digestOf(odd), digestOf(base)],
  )
  assert.deepEqual(new Set(rig.blobs()), new Set([digestOf(odd), digestOf(base), rig.images.get('odd:1').id]))
  for (const [name, code] of [
    ['cut.tar.gz', 'content.compression_invalid'],
    ['big.tar.bz2', 'content.compression_unsupported'],
  ] as const) {
    const wrong = { ...files, 'manifest.json': json([{ Config: 'c.json', RepoTags: null, Layers: ['odd.tar', name] }]) }
    await assert.rejects(loadAll(rig.images, await tarOf(wrong)), { code })
  }
  assert.deepEqual(rig.mountable, new Set([digestOf(base), digestOf(odd)]))
  assert.deepEqual(rig.leftovers(), [])
})

test('layers of an archive that cannot be had in their order are refused', async () => {
  using rig = imagesRig()
  const swapped = { Config: 'c.json', RepoTags: null, Layers: ['top.tar', 'base.tar'] }
  const files = { 'base.tar': base, 'top.tar': top, 'c.json': configJson([base, top]), 'manifest.json': json([swapped]) }
  await assert.rejects(loadAll(rig.images, await tarOf(files)), { code: 'digest.mismatch' })
  assert.deepEqual([rig.blobs(), [...rig.mountable], rig.leftovers()], [[], [], []])
})

test('a layer that is here and goes by its digest is not read again', async () => {
  using rig = imagesRig()
  await loadAll(rig.images, await tarOf(oldDockerSave))
  const lies = Buffer.alloc(base.length, 1)
  const again = {
    [blob(base)]: lies,
    'c.json': configJson([base], { author: 'again' }),
    'manifest.json': json([{ Config: 'c.json', RepoTags: ['again:1'], Layers: [blob(base)] }]),
  }
  const progress = await loadAll(rig.images, await tarOf(again))
  assert.ok(!progress.some((one) => one.type === 'layer'))
  await rig.content.verify(digestOf(base))
  assert.equal(rig.images.get('again:1').layers[0]?.diffId, digestOf(base))
})

test('what save wrote is loaded again beside the image that it was saved from', async () => {
  using rig = imagesRig()
  await loadAll(rig.images, await tarOf(oldDockerSave))
  const saved = Buffer.concat((await gather(await rig.images.save(['web:1']))) as Buffer[])
  await rig.images.tag('web:1', 'other:1')
  await loadAll(rig.images, saved)
  await loadAll(rig.images, gzipSync(saved))
  assert.deepEqual(rig.images.get('web:1').id, id)
  assert.equal(rig.images.list().length, 1)
})

test('of an archive for several machines the one that is asked for is loaded, and every name that it has', async () => {
  const foreign = configJson([base], { architecture: 's390x' })
  const second = json({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: describe(MEDIA_TYPES.ociConfig, foreign),
    layers: [describe(MEDIA_TYPES.ociLayerGzip, gzipSync(base))],
  })
  const own = { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : 'arm64' }
  const named = (name: string) => ({ annotations: { 'io.containerd.image.name': name } })
  const index = json(
    indexOf(
      describe(MEDIA_TYPES.ociManifest, manifest, { platform: own }),
      describe(MEDIA_TYPES.ociManifest, second, { platform: { os: 'linux', architecture: 's390x' } }),
    ),
  )
  const files = layoutWith(
    indexOf(
      describe(MEDIA_TYPES.ociIndex, index, named('docker.io/library/web:1')),
      describe(MEDIA_TYPES.ociIndex, index, named('localhost:5000/team/web:2')),
    ),
    { [blob(index)]: index, [blob(second)]: second, [blob(foreign)]: foreign },
  )
  using rig = imagesRig()
  await gather(rig.images.load(stream(await tarOf(files))))
  assert.deepEqual([rig.images.get('web:1').id, rig.images.get('localhost:5000/team/web:2').id], [id, id])
  await gather(rig.images.load(stream(await tarOf(files)), { platform: 'linux/s390x' }))
  assert.equal(rig.images.get('web:1').id, digestOf(foreign))
  for (const archive of [files, oldDockerSave])
    await assert.rejects(gather(rig.images.load(stream(await tarOf(archive)), { platform: 'linux/riscv64' })), {
      code: 'image.platform_mismatch',
    })
})

test('a name that another image had moves, and the other one stays without it', async () => {
  using rig = imagesRig()
  await loadAll(rig.images, await tarOf(oldDockerSave))
  const newer = configJson([base], { author: 'someone' })
  const progress = await loadAll(
    rig.images,
    await tarOf({
      'l.tar': base,
      'c.json': newer,
      'manifest.json': json([{ Config: 'c.json', RepoTags: ['web:1'], Layers: ['l.tar'] }]),
    }),
  )
  assert.ok(progress.some((one) => one.type === 'status' && one.text.includes(`renaming the old one with ID ${id}`)))
  assert.equal(rig.images.get('web:1').id, digestOf(newer))
  assert.deepEqual(rig.images.get(id).tags, ['registry.example.org/web:1'])
})

const dockerWith = (entry: object, extra: ArchiveContent = {}): ArchiveContent => ({
  'l.tar': base,
  'c.json': configJson([base]),
  'manifest.json': json([{ Config: 'c.json', RepoTags: ['web:1'], Layers: ['l.tar'], ...entry }]),
  ...extra,
})
const indexed = (document: Buffer, extra: object = {}, files: ArchiveContent = {}) =>
  layoutWith(indexOf(describe(MEDIA_TYPES.ociManifest, document, extra)), { [blob(document)]: document, ...files })
const altered = (change: object) => json({ ...(JSON.parse(manifest.toString()) as object), ...change })
const deepIndex = (depth: number): ArchiveContent => {
  let files: ArchiveContent = {}
  let inner = describe(MEDIA_TYPES.ociManifest, manifest)
  for (let level = 0; level < depth; level += 1) {
    const index = json(indexOf(inner))
    files = { ...files, [blob(index)]: index }
    inner = describe(MEDIA_TYPES.ociIndex, index)
  }
  return layoutWith(indexOf(inner), files)
}

const hostile: readonly (readonly [title: string, files: ArchiveContent, code: string])[] = [
  ['nothing in it', {}, 'image.archive_invalid'],
  ['neither of the formats', { 'etc/passwd': 'root' }, 'image.archive_invalid'],
  ['a config outside of it', dockerWith({ Config: '../../etc/passwd' }), 'image.archive_invalid'],
  ['a layer outside of it', dockerWith({ Layers: ['/etc/passwd'] }), 'image.archive_invalid'],
  ['a tag with a path', dockerWith({ RepoTags: ['web:../../x'] }), 'reference.invalid'],
  ['a tag that is a digest', dockerWith({ RepoTags: [`web@${id}`] }), 'image.archive_invalid'],
  ['a name without a tag', dockerWith({ RepoTags: ['web'] }), 'image.archive_invalid'],
  ['more layers than diff ids', dockerWith({ Layers: ['l.tar', 'l.tar'] }), 'image.archive_invalid'],
  ['fewer layers than diff ids', dockerWith({ Layers: [] }), 'image.archive_invalid'],
  ['a layer of other bytes', dockerWith({}, { 'l.tar': top }), 'digest.mismatch'],
  [
    'a config whose name lies',
    dockerWith({ Config: `${'0'.repeat(64)}.json` }, { [`${'0'.repeat(64)}.json`]: configJson([base]) }),
    'digest.mismatch',
  ],
  ['a blob path that is no digest', dockerWith({ Layers: ['blobs/sha256/zz'] }, { 'blobs/sha256/zz': base }), 'digest.invalid'],
  ['a blob whose path lies', dockerWith({ Layers: [blob(top)] }, { [blob(top)]: base }), 'digest.mismatch'],
  [
    'a blob that is a symlink',
    dockerWith({ Layers: [blob(base)] }, { [blob(base)]: { linkTo: '../../l.tar' } }),
    'image.archive_invalid',
  ],
  ['a manifest.json that is a link', { 'm.json': '[]', 'manifest.json': { linkTo: '/etc/shadow' } }, 'image.archive_invalid'],
  ['a manifest that is no list', { 'manifest.json': '{}' }, 'image.archive_invalid'],
  ['a key twice', { 'manifest.json': '[{"Config":"a","Config":"b"}]' }, 'json.invalid'],
  ['a manifest of 5 MB', { 'manifest.json': Buffer.alloc(5 * 1024 * 1024, 0x20) }, 'image.archive_invalid'],
  [
    'a layer compressed with xz',
    dockerWith({}, { 'l.tar': Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) }),
    'content.compression_unsupported',
  ],
  [
    'junk after the gzip layer',
    dockerWith({}, { 'l.tar': Buffer.concat([gzipSync(base), Buffer.from('junk')]) }),
    'content.compression_invalid',
  ],
  ['history of other layers', dockerWith({}, { 'c.json': configJson([base], { history: [{}, {}] }) }), 'image.layers_invalid'],
  ['an unknown layout version', { ...ociLayout, 'oci-layout': '{"imageLayoutVersion":"2.0.0"}' }, 'image.archive_invalid'],
  ['a manifest that is an index too', indexed(altered({ manifests: [] })), 'manifest.ambiguous'],
  [
    'a descriptor of another size',
    layoutWith(indexOf({ ...describe(MEDIA_TYPES.ociManifest, manifest), size: 1 })),
    'image.archive_invalid',
  ],
  [
    'a descriptor of another digest',
    layoutWith(indexOf(describe(MEDIA_TYPES.ociManifest, manifest)), {
      [blob(manifest)]: manifest.toString().replace('sha256', 'sha255'),
    }),
    'digest.mismatch',
  ],
  [
    'a digest with a path',
    layoutWith(indexOf({ ...describe(MEDIA_TYPES.ociManifest, manifest), digest: 'sha256:../../../etc/passwd' })),
    'digest.invalid',
  ],
  [
    'a digest of md5',
    layoutWith(indexOf({ ...describe(MEDIA_TYPES.ociManifest, manifest), digest: `md5:${'0'.repeat(32)}` })),
    'digest.invalid',
  ],
  [
    'a name with a path',
    indexed(manifest, { annotations: { 'io.containerd.image.name': '../../etc/cron.d/x:1' } }),
    'reference.invalid',
  ],
  [
    'a ref with a path',
    indexed(manifest, { annotations: { 'org.opencontainers.image.ref.name': '../../x' } }),
    'reference.invalid',
  ],
  [
    'a config of no image',
    indexed(altered({ config: describe('application/vnd.example+json', config) })),
    'image.archive_invalid',
  ],
  [
    'a layer of no file system',
    indexed(altered({ layers: [describe('text/plain', base), describe('text/plain', top)] })),
    'image.archive_invalid',
  ],
  [
    'a layer that is not there',
    layoutWith(
      indexOf(
        describe(
          MEDIA_TYPES.ociManifest,
          altered({ layers: [describe(MEDIA_TYPES.ociLayer, base), describe(MEDIA_TYPES.ociLayer, top)] }),
        ),
      ),
      {
        [blob(altered({ layers: [describe(MEDIA_TYPES.ociLayer, base), describe(MEDIA_TYPES.ociLayer, top)] }))]: altered({
          layers: [describe(MEDIA_TYPES.ociLayer, base), describe(MEDIA_TYPES.ociLayer, top)],
        }),
      },
    ),
    'image.archive_invalid',
  ],
  [
    'another platform only',
    layoutWith(indexOf(describe(MEDIA_TYPES.ociManifest, manifest, { platform: { os: 'plan9', architecture: 'mips' } }))),
    'image.platform_mismatch',
  ],
  ['an index five deep', deepIndex(5), 'image.archive_invalid'],
  [
    'repositories that loop',
    { repositories: json({ a: { b: '1'.repeat(64) } }), [`${'1'.repeat(64)}/json`]: json({ parent: '1'.repeat(64) }) },
    'image.archive_invalid',
  ],
  ['repositories with a path', { repositories: json({ a: { b: '../../etc' } }) }, 'image.archive_invalid'],
]

test('hostile archives are refused with their own codes and leave nothing', async (context) => {
  for (const [title, files, code] of hostile)
    await context.test(title, async () => {
      using rig = imagesRig()
      await assert.rejects(loadAll(rig.images, await tarOf(files)), { code })
      assert.deepEqual(rig.images.list(), [])
      assert.deepEqual(rig.blobs(), [])
      assert.deepEqual([...rig.mountable], [])
      assert.deepEqual(rig.leftovers(), [])
    })
})

test('the same name twice, a cut archive and no archive at all are refused', async () => {
  using rig = imagesRig()
  const good = await tarOf(oldDockerSave)
  const twice = Buffer.concat([(await tarOf({ 'manifest.json': '[]' })).subarray(0, 1024), good])
  await assert.rejects(loadAll(rig.images, twice), { code: 'image.archive_invalid' })
  await assert.rejects(loadAll(rig.images, good.subarray(0, 2000)), { code: /^tar\./ })
  await assert.rejects(loadAll(rig.images, Buffer.from('hello')), { code: /^(tar|image)\./ })
  await assert.rejects(loadAll(rig.images, gzipSync(good).subarray(0, 200)), { code: 'content.compression_invalid' })
  assert.deepEqual([rig.leftovers(), rig.blobs()], [[], []])
})

test('a client that goes away leaves nothing', async () => {
  using rig = imagesRig()
  const source = stream(await tarOf(oldDockerSave))
  source.destroy(new Error('gone'))
  await assert.rejects(gather(rig.images.load(source)), /gone/)
  const cut = stream(base)
  cut.destroy()
  await assert.rejects(gather(rig.images.load(cut)), { code: 'operation.cancelled' })
  const other = stream(base)
  other.destroy(new Error('gone'))
  await assert.rejects(rig.images.addLayer(other), /gone/)
  assert.deepEqual([rig.leftovers(), rig.blobs()], [[], []])
})

test('a layer that cannot be mounted is not kept', async () => {
  using rig = imagesRig()
  rig.rejected.add(digestOf(top))
  await assert.rejects(loadAll(rig.images, await tarOf(oldDockerSave)), { code: 'fake_snapshot.refused' })
  assert.deepEqual([rig.blobs(), rig.images.list()], [[], []])
})

test('an archive with any byte changed loads whole images or nothing', async () => {
  const good = await tarOf(oldDockerSave)
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      using rig = imagesRig()
      const bytes = Buffer.from(good)
      bytes[at] = (bytes[at] ?? 0) ^ flip
      await loadAll(rig.images, bytes).catch((error: unknown) =>
        assert.match((error as { code: string }).code, /^(image|tar|digest|json|image_config|reference|content)\./),
      )
      for (const image of rig.images.list()) for (const layer of image.layers) await rig.content.verify(layer.diffId)
      assert.deepEqual(rig.leftovers(), [])
    }),
    { numRuns: 150 },
  )
})
