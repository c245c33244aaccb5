import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { digestOf } from '#oci/digest'
import { emptyProcessConfig, parseImageConfig, writeImageConfig } from '#oci/image'

import type { ImageRecord, Images } from './port.ts'
import { gather, imagesRig, loadAll, stream, tarOf, type ImagesRig } from './test-rig.ts'

const base = await tarOf({ 'etc/os-release': 'ID=test\n' })
const plain = { force: false, noPrune: false }

async function imported(
  rig: ImagesRig,
  ref: string | null,
  tar: Uint8Array = base,
  changes: readonly string[] = [],
): Promise<ImageRecord> {
  await rig.clock.advance(1000)
  return await rig.images.import({ tar: stream(tar), ref, message: 'made by a test', changes, platform: null })
}

function committed(images: Images, layers: readonly string[], parent: ImageRecord | null = null): Promise<ImageRecord> {
  return images.commit({
    config: { ...emptyProcessConfig(), cmd: ['sh'] },
    architecture: 'amd64',
    os: 'linux',
    layers: layers as ImageRecord['id'][],
    history: [],
    created: '2024-01-01T00:00:00Z',
    author: 'me',
    comment: '',
    parent: parent?.id ?? null,
  })
}

test('an imported tar is an image of one layer with the changes applied', async () => {
  using rig = imagesRig()
  const image = await imported(rig, 'web', gzipSync(base), [
    'CMD ["run", "it"]',
    'ENV A=1 B="two words"',
    'ENV C=${A}x',
    'EXPOSE 80 53/udp',
    'LABEL who=me',
    'USER app',
    'VOLUME /data',
    'WORKDIR /srv',
    'WORKDIR sub',
    'STOPSIGNAL SIGINT',
    'ONBUILD RUN true',
    'HEALTHCHECK --interval=5s CMD true',
  ])
  assert.deepEqual(image.tags, ['web:latest'])
  assert.deepEqual(image.layers, [{ diffId: digestOf(base), sizeBytes: base.length }])
  assert.deepEqual(image.config, {
    ...emptyProcessConfig(),
    cmd: ['run', 'it'],
    env: ['A=1', 'B=two words', 'C=1x'],
    exposedPorts: ['53/udp', '80/tcp'],
    labels: { who: 'me' },
    user: 'app',
    volumes: ['/data'],
    workingDir: '/srv/sub',
    stopSignal: 'SIGINT',
    onBuild: ['RUN true'],
    healthcheck: {
      test: ['CMD-SHELL', 'true'],
      intervalMs: 5000,
      timeoutMs: 0,
      startPeriodMs: 0,
      startIntervalMs: 0,
      retries: 0,
    },
  })
  assert.equal(image.comment, 'made by a test')
  assert.deepEqual(rig.events.at(-1), {
    type: 'image',
    action: 'import',
    actorId: image.id,
    attributes: { who: 'me', name: 'web' },
  })
})

test('a wrong import is refused before its tar is read', async () => {
  using rig = imagesRig()
  await assert.rejects(imported(rig, 'Web'), { code: 'reference.invalid' })
  await assert.rejects(imported(rig, `web@${digestOf('x')}`), { code: 'image.name_invalid' })
  await assert.rejects(imported(rig, 'web', base, ['RUN true']), { code: 'image.change_unsupported' })
  await assert.rejects(imported(rig, 'web', base, ['NONSENSE x']), { code: /^dockerfile\./ })
  assert.deepEqual([rig.blobs(), rig.leftovers()], [[], []])
})

test('an image is found by name, id and the beginning of its id', async () => {
  using rig = imagesRig()
  const image = await imported(rig, 'web:1')
  const hex = image.id.slice(7)
  for (const ref of [
    'web:1',
    'docker.io/library/web:1',
    image.id,
    hex,
    hex.slice(0, 12),
    hex.slice(0, 4),
    `sha256:${hex.slice(0, 8)}`,
  ])
    assert.equal(rig.images.get(ref).id, image.id, ref)
  for (const ref of ['web', 'web:2', hex.slice(0, 3), 'sha256:', '', '../x', 'WEB:1', `web@${image.id}`]) {
    assert.equal(rig.images.find(ref), undefined, ref)
    assert.throws(() => rig.images.get(ref), { code: 'image.not_found' }, ref)
  }
  assert.throws(() => rig.images.get('web'), { message: 'No such image: web:latest' })
})

test('an ambiguous beginning is refused', async () => {
  using rig = imagesRig()
  const seen = new Map<string, string>()
  // Four hexadecimal digits meet after some hundred images; two layers are enough to make them.
  for (let index = 0; index < 600; index += 1) {
    const { id } = await rig.images.import({ tar: stream(base), ref: null, message: String(index), changes: [], platform: null })
    const start = id.slice(7, 11)
    if (seen.has(start)) {
      assert.throws(() => rig.images.get(start), { code: 'image.ambiguous' })
      return
    }
    seen.set(start, id)
  }
  assert.fail('no two ids begin alike')
})

test('a tag moves, and its image is told of in the order of events', async () => {
  using rig = imagesRig()
  const first = await imported(rig, 'web:1')
  const second = await imported(rig, null)
  await rig.images.tag(second.id, 'web:1')
  assert.equal(rig.images.get('web:1').id, second.id)
  assert.deepEqual(rig.images.get(first.id).tags, [])
  assert.deepEqual(
    rig.images.list().map(({ id }) => id),
    [second.id, first.id],
    'newest first',
  )
  await assert.rejects(rig.images.tag('web:1', `web@${digestOf('x')}`), { code: 'image.name_invalid' })
  await assert.rejects(rig.images.tag('absent', 'x'), { code: 'image.not_found' })
  assert.deepEqual(
    rig.events.map(({ action }) => action),
    ['import', 'import', 'tag'],
  )
})

test('layers live as long as an image, a holder or a container needs them', async () => {
  using rig = imagesRig()
  const one = await imported(rig, 'one')
  const extra = await rig.images.addLayer(stream(await tarOf({ more: 'x' })))
  const two = await committed(rig.images, [digestOf(base), extra.diffId])
  assert.deepEqual(await rig.images.remove('one', plain), [{ untagged: 'one:latest' }, { deleted: one.id }])
  assert.ok(rig.images.hasLayer(digestOf(base)), 'the other image still has it')
  rig.pinned.add(extra.diffId)
  const chain = digestOf(`${digestOf(base)} ${extra.diffId}`)
  const removed = await rig.images.remove(two.id, plain)
  assert.deepEqual(removed, [{ deleted: two.id }, { deleted: digestOf(base) }])
  assert.ok(!removed.some((one) => 'deleted' in one && one.deleted === chain))
  assert.deepEqual(rig.blobs(), [extra.diffId], 'a container stands on it')
  rig.pinned.clear()
  await rig.images.sweep()
  assert.deepEqual([rig.blobs(), [...rig.mountable]], [[], []])
})

test('a layer that was added stays until it is named, and is collected when it never is', async () => {
  using rig = imagesRig()
  const { diffId } = await rig.images.addLayer(stream(base))
  await rig.images.prune({ danglingOnly: false })
  assert.ok(rig.images.hasLayer(diffId))
  await rig.images.retainLayers('build cache', [diffId])
  await rig.clock.advance(2 * 3_600_000)
  await rig.images.prune({ danglingOnly: false })
  assert.ok(rig.images.hasLayer(diffId), 'the holder keeps it')
  const next = await rig.restart()
  assert.ok(next.images.hasLayer(diffId), 'over a restart')
  await next.images.releaseLayers('build cache')
  assert.deepEqual(next.blobs(), [])
  await assert.rejects(next.images.retainLayers('x', [diffId]), { code: 'image.layer_missing' })
  await assert.rejects(committed(next.images, [diffId]), { code: 'image.layer_missing' })
})

test('an image that a stopped container needs leaves the lists by force and the disk when the container goes', async () => {
  using rig = imagesRig()
  const image = await imported(rig, 'web')
  rig.users.set(image.id, [{ name: 'down', isRunning: false }])
  await assert.rejects(rig.images.remove('web', plain), { code: 'image.in_use' })
  await rig.images.remove(image.id, { force: true, noPrune: false })
  assert.deepEqual(rig.images.list(), [])
  assert.equal(rig.images.find(image.id.slice(7, 19)), undefined)
  assert.equal(rig.images.get(image.id).id, image.id, 'the container can still start')
  await rig.images.sweep()
  assert.ok(rig.images.hasLayer(digestOf(base)))
  rig.users.clear()
  await rig.images.sweep()
  assert.deepEqual(rig.blobs(), [])
})

test('prune says what went and how much', async () => {
  using rig = imagesRig()
  const image = await imported(rig, null)
  const { deleted, reclaimedBytes } = await rig.images.prune({ danglingOnly: true })
  assert.deepEqual(deleted, [{ deleted: image.id }, { deleted: digestOf(base) }])
  assert.equal(reclaimedBytes, base.length)
  const kept = await imported(rig, 'kept')
  assert.equal((await rig.images.prune({ danglingOnly: false, keep: ({ id }) => id === kept.id })).deleted.length, 0)
  assert.equal((await rig.images.prune({ danglingOnly: false })).deleted.length, 3)
})

test('saved archives are the same every time and load to the same images', async () => {
  using rig = imagesRig()
  const web = await imported(rig, 'web:1')
  await rig.images.tag('web:1', 'web:2')
  const other = await imported(rig, 'other', await tarOf({ b: 'b' }))
  const save = async (refs: readonly string[]) => Buffer.concat((await gather(await rig.images.save(refs))) as Buffer[])
  const archive = await save(['web', 'other'])
  assert.deepEqual(await save(['other:latest', 'web:2', 'web:1']), archive)
  using fresh = imagesRig()
  await loadAll(fresh.images, archive)
  assert.deepEqual(fresh.images.get('web:1').tags, ['web:1', 'web:2'])
  assert.deepEqual(new Set(fresh.images.list().map(({ id }) => id)), new Set([web.id, other.id]))
  using nameless = imagesRig()
  await loadAll(nameless.images, await save([web.id]))
  assert.deepEqual(nameless.images.get(web.id).tags, [])
  await assert.rejects(rig.images.save(['absent']), { code: 'image.not_found' })
})

test('what is being saved is not cut short by a removal', async () => {
  using rig = imagesRig()
  await imported(rig, 'web')
  const reading = await rig.images.save(['web'])
  await rig.images.remove('web', plain)
  const archive = Buffer.concat((await gather(reading)) as Buffer[])
  await new Promise((resolve) => setImmediate(resolve))
  using fresh = imagesRig()
  await loadAll(fresh.images, archive)
  assert.ok(fresh.images.find('web'))
})

test('the same layer added, removed and added again at once is there whole or not at all', async () => {
  using rig = imagesRig()
  for (let round = 0; round < 20; round += 1) {
    const [image] = await Promise.all([imported(rig, null), imported(rig, null), rig.images.prune({ danglingOnly: false })])
    await Promise.all([rig.images.prune({ danglingOnly: true }), rig.images.addLayer(stream(base))])
    assert.ok(rig.images.hasLayer(digestOf(base)) && rig.mountable.has(digestOf(base)), `round ${round} ${image.id}`)
  }
})

test('a restart finds every image and collects what no record names', async () => {
  using rig = imagesRig()
  const image = await imported(rig, 'web')
  await rig.content.put(Buffer.from('nobody names me'))
  writeFileSync(join(rig.root, 'content/ingest/9'), 'half')
  writeFileSync(join(rig.root, 'tmp/images/load-9'), 'half')
  const next = await rig.restart()
  assert.deepEqual(next.images.get('web'), rig.images.get('web'))
  assert.deepEqual(new Set(next.blobs()), new Set([image.id, digestOf(base)]))
  assert.deepEqual(next.leftovers(), [])
  assert.ok(next.mountable.has(digestOf(base)), 'its layers are mountable again')
})

test('a committed image knows its parent, and the configuration reads back', async () => {
  using rig = imagesRig()
  const parent = await imported(rig, 'base')
  const child = await committed(rig.images, [digestOf(base)], parent)
  assert.equal(child.parent, parent.id)
  await assert.rejects(rig.images.remove(parent.id, { force: true, noPrune: false }), { code: 'image.conflict' })
  assert.deepEqual(rig.images.config(child.id), parseImageConfig(writeImageConfig(rig.images.config(child.id)), 'config'))
  assert.equal(digestOf(writeImageConfig(rig.images.config(child.id))), child.id)
})

test('layers that other records name stay, and go with the next prune when they no longer do', async () => {
  const kept = new Set([digestOf(base)])
  using rig = imagesRig({ keptLayers: () => kept })
  const image = await imported(rig, 'web')
  await rig.images.remove('web', plain)
  const next = await rig.restart()
  assert.deepEqual(next.blobs(), [digestOf(base)], image.id)
  kept.clear()
  const { reclaimedBytes } = await next.images.prune({ danglingOnly: true })
  assert.deepEqual([next.blobs(), reclaimedBytes], [[], base.length])
})
