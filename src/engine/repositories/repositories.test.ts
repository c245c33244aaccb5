import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { memoryRecords, systemRandom, virtualClock } from '#base'
import { digestOf, parseVerifiableDigest } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

import { BLOB_GRACE_MS, UPLOAD_IDLE_MS } from './limits.ts'
import { createRepositories } from './repositories.ts'

function rig() {
  const root = mkdtempSync(join(tmpdir(), 'repositories-'))
  const records = memoryRecords()
  const clock = virtualClock(1_700_000_000_000)
  const open = () => createRepositories({ root, records, clock, random: systemRandom() })
  return { root, clock, open, repositories: open(), [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

type Rig = ReturnType<typeof rig>

async function* bytes(...texts: readonly string[]) {
  for (const text of texts) yield Buffer.from(text)
}

async function push(repositories: Rig['repositories'], name: string, text: string): Promise<string> {
  const { id } = await repositories.startUpload(name)
  await repositories.appendUpload(name, id, bytes(text), {})
  return (await repositories.finishUpload(name, id, parseVerifiableDigest(digestOf(text)))).digest
}

function manifestOf(blobs: readonly string[], more: object = {}): Buffer {
  const [config = '', ...layers] = blobs.map((text) => ({
    mediaType: MEDIA_TYPES.ociLayer,
    digest: digestOf(text),
    size: text.length,
  }))
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers, ...more }))
}

async function pushImage(
  { repositories }: Pick<Rig, 'repositories'>,
  name: string,
  blobs: readonly string[],
  tags: readonly string[],
  more = {},
) {
  for (const text of blobs) await push(repositories, name, text)
  const put = { mediaType: MEDIA_TYPES.ociManifest, bytes: manifestOf(blobs, more), tags }
  return (await repositories.putManifest(name, put)).digest
}

const stored = (root: string) => readdirSync(join(root, 'registry/content/blobs/sha256')).length

test('what was pushed is there byte for byte, by tag and by digest, after a restart too', async () => {
  using at = rig()
  const digest = await pushImage(at, 'team/web', ['config', 'layer'], ['1', 'latest'])
  for (const repositories of [at.repositories, at.open()]) {
    assert.deepEqual((await repositories.getManifest('team/web', '1')).bytes, manifestOf(['config', 'layer']))
    assert.equal((await repositories.getManifest('team/web', digest)).mediaType, MEDIA_TYPES.ociManifest)
    assert.equal(repositories.statBlob('team/web', digestOf('layer')).sizeBytes, 5)
    assert.deepEqual(repositories.tags('team/web', { limit: 10 }), { names: ['1', 'latest'], hasMore: false })
    assert.deepEqual(repositories.list({ limit: 10 }).names, ['team/web'])
  }
})

test('an upload goes on where it was, over a restart, and nowhere else', async () => {
  using at = rig()
  const { id } = await at.repositories.startUpload('a')
  await at.repositories.appendUpload('a', id, bytes('one ', 'two '), { startByte: 0 })
  const later = at.open()
  await later.recover()
  assert.deepEqual(await later.statUpload('a', id), { id, sizeBytes: 8 })
  await assert.rejects(later.appendUpload('a', id, bytes('x'), { startByte: 7 }), { code: 'repository.upload_out_of_order' })
  await assert.rejects(later.appendUpload('b', id, bytes('x'), {}), { code: 'repository.upload_unknown' })
  await later.appendUpload('a', id, bytes('three'), { startByte: 8 })
  const sha512 = `sha512:${createHash('sha512').update('one two three').digest('hex')}`
  assert.equal((await later.finishUpload('a', id, parseVerifiableDigest(sha512))).digest, sha512)
  assert.equal(later.statBlob('a', sha512).sizeBytes, 13)
  await assert.rejects(later.statUpload('a', id), { code: 'repository.upload_unknown' })
  assert.deepEqual(readdirSync(join(at.root, 'registry/uploads')), [])
})

test('bytes of another digest become no blob and leave nothing', async () => {
  using at = rig()
  const { id } = await at.repositories.startUpload('a')
  await at.repositories.appendUpload('a', id, bytes('x'), {})
  await assert.rejects(at.repositories.finishUpload('a', id, parseVerifiableDigest(digestOf('y'))), { code: 'digest.mismatch' })
  assert.deepEqual([readdirSync(join(at.root, 'registry/uploads')), stored(at.root)], [[], 0])
})

test('two writers of one upload do not mix', async () => {
  using at = rig()
  const { id } = await at.repositories.startUpload('a')
  const gate = Promise.withResolvers<void>()
  async function* slow() {
    yield Buffer.from('first')
    await gate.promise
  }
  const first = at.repositories.appendUpload('a', id, slow(), {})
  await assert.rejects(at.repositories.appendUpload('a', id, bytes('second'), {}), { code: 'repository.upload_busy' })
  gate.resolve()
  assert.equal((await first).sizeBytes, 5)
})

test('a manifest needs what it names, and a blob that is named stays', async () => {
  using at = rig()
  const { repositories } = at
  const put = { mediaType: MEDIA_TYPES.ociManifest, bytes: manifestOf(['config', 'layer']), tags: ['1'] }
  await push(repositories, 'a', 'config')
  await assert.rejects(repositories.putManifest('a', put), { code: 'repository.manifest_blob_unknown', message: /names sha256:/ })
  assert.equal(stored(at.root), 1)
  await push(repositories, 'a', 'layer')
  await repositories.putManifest('a', put)
  await assert.rejects(repositories.deleteBlob('a', digestOf('layer')), { code: 'repository.blob_in_use' })
  await repositories.deleteManifest('a', (await repositories.getManifest('a', '1')).digest)
  await repositories.deleteBlob('a', digestOf('layer'))
  await assert.rejects(repositories.getManifest('a', '1'), { code: 'repository.manifest_unknown' })
})

test('a mounted blob is the same file, gone with its last repository', async () => {
  using at = rig()
  const { repositories } = at
  await push(repositories, 'a', 'layer')
  assert.equal(repositories.mountBlob('b', digestOf('layer'), 'a'), true)
  assert.equal(repositories.mountBlob('b', digestOf('other'), 'a'), false)
  await repositories.deleteBlob('a', digestOf('layer'))
  assert.deepEqual([stored(at.root), repositories.homesOf(digestOf('layer'))], [1, ['b']])
  await repositories.deleteBlob('b', digestOf('layer'))
  assert.equal(stored(at.root), 0)
})

test('an adopted file is shared and not copied', async () => {
  using at = rig()
  const path = join(at.root, 'layer.tar')
  writeFileSync(path, 'layer')
  const { id } = await at.repositories.startUpload('a')
  assert.equal(await at.repositories.adoptUpload('b', id, { path, digest: digestOf('layer') }), false)
  assert.equal(await at.repositories.adoptUpload('a', id, { path, digest: digestOf('layer') }), true)
  assert.equal(await at.repositories.adoptUpload('a', id, { path, digest: digestOf('layer') }), false)
  assert.equal(statSync(path).nlink, 2)
  await at.repositories.deleteBlob('a', digestOf('layer'))
  assert.equal(statSync(path).nlink, 1)
})

test('referrers are listed by their subject and filtered by type', async () => {
  using at = rig()
  const subject = await pushImage(at, 'a', ['config'], ['1'])
  const named = { subject: { mediaType: MEDIA_TYPES.ociManifest, digest: subject, size: 1 } }
  const signature = await pushImage(at, 'a', ['sig'], [], {
    ...named,
    artifactType: 'example/signature',
    annotations: { by: 'me' },
  })
  await pushImage(at, 'a', ['sbom'], [], { ...named, artifactType: 'example/sbom' })
  assert.equal(at.repositories.referrers('a', subject, undefined).length, 2)
  assert.deepEqual(
    at.repositories.referrers('a', subject, 'example/signature').map(({ digest, annotations }) => [digest, annotations]),
    [[signature, { by: 'me' }]],
  )
  assert.deepEqual(at.repositories.referrers('b', subject, undefined), [])
})

test('collection takes what rules name and nothing that a manifest holds', async () => {
  using at = rig()
  const { repositories, clock } = at
  for (const tag of ['1', '2', 'stable']) {
    await pushImage(at, 'team/web', ['config', `layer ${tag}`], [tag])
    await clock.advance(1000)
  }
  await push(repositories, 'team/web', 'forgotten')
  await repositories.startUpload('team/web')
  const rules = [{ repositories: 'team/*', keepLast: 1, keepTags: ['st*'], untaggedAfterMs: 60_000 }]
  await clock.advance(UPLOAD_IDLE_MS + BLOB_GRACE_MS)
  const planned = await repositories.collect({ rules, isDryRun: true })
  const { removed, reclaimedBytes } = await repositories.collect({ rules })
  assert.deepEqual(planned.removed, removed)
  assert.deepEqual(removed.map(({ kind }) => kind).toSorted(), [
    'blob',
    'blob',
    'blob',
    'manifest',
    'manifest',
    'tag',
    'tag',
    'upload',
  ])
  assert.deepEqual(repositories.tags('team/web', { limit: 10 }).names, ['stable'])
  assert.equal(stored(at.root), 3)
  assert.ok(reclaimedBytes > 0)
  assert.equal((await repositories.getManifest('team/web', 'stable')).bytes.length > 0, true)
})

test('names, tags and digests are held to their grammar before they are looked up', async () => {
  using at = rig()
  for (const name of ['..', 'a/../b', 'A', 'a//b', '', 'a'.repeat(300)])
    assert.throws(() => at.repositories.tags(name, { limit: 1 }), { code: 'repository.name_invalid' }, name)
  assert.throws(() => at.repositories.statBlob('a', 'sha256:../../x'), { code: 'repository.digest_invalid' })
  await assert.rejects(at.repositories.getManifest('a', '../x'), { code: 'repository.tag_invalid' })
})

test('bytes that a kill left unnamed are gone after recovery', async () => {
  using at = rig()
  await push(at.repositories, 'a', 'layer')
  writeFileSync(join(at.root, 'registry/content/blobs/sha256', digestOf('lost').slice(7)), 'lost')
  writeFileSync(join(at.root, 'registry/uploads', 'f'.repeat(32)), 'lost')
  await at.open().recover()
  assert.deepEqual([stored(at.root), readdirSync(join(at.root, 'registry/uploads'))], [1, []])
})
