import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

import { createContent } from '#engine/content'
import { linuxHost } from '#host'
import { digestOf } from '#oci/digest'

import { realImages, temporaryRoot } from './images-fixture.ts'
import { tarOf } from './snapshots-fixture.ts'

const bytesOf = (bytes: Uint8Array) => Readable.from([bytes], { objectMode: false })

async function loadedRefs(
  images: { load(archive: Readable): AsyncIterable<{ type: string }> },
  archive: Buffer,
): Promise<number> {
  let loaded = 0
  for await (const progress of images.load(bytesOf(archive))) if (progress.type === 'loaded') loaded += 1
  return loaded
}

test('an archive as docker save writes it becomes a root file system', async () => {
  using rig = await realImages()
  const layers = [
    tarOf([
      { path: 'etc', type: 'directory' },
      { path: 'dev', type: 'directory' },
      { path: 'etc/name', body: 'below' },
    ]),
    tarOf([{ path: 'etc/name', body: 'above' }]),
  ]
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
  })
  const archive = tarOf([
    { path: 'a/layer.tar', body: layers[0] ?? '' },
    { path: 'b/layer.tar', body: gzipSync(layers[1] ?? '') },
    { path: 'config.json', body: config },
    {
      path: 'manifest.json',
      body: JSON.stringify([{ Config: 'config.json', RepoTags: ['two:layers'], Layers: ['a/layer.tar', 'b/layer.tar'] }]),
    },
  ])
  assert.equal(await loadedRefs(rig.images, archive), 1)
  const image = rig.images.get('two:layers')
  const target = join(rig.root, 'view')
  mkdirSync(target)
  {
    using _view = rig.snapshots.mountReadOnly(
      image.layers.map(({ diffId }) => diffId),
      target,
    )
    assert.equal(readFileSync(join(target, 'etc/name'), 'utf8'), 'above')
  }
  await rig.images.remove('two:layers', { force: false, noPrune: false })
  assert.deepEqual(rig.snapshots.list(), [])
  assert.deepEqual(readdirSync(join(rig.root, 'content/blobs/sha256')), [])
})

test('a full disk is said so and leaves nothing behind', async () => {
  const root = temporaryRoot()
  using host = linuxHost()
  host.mounts.tmpfs({ target: root, sizeBytes: 2 * 1024 * 1024 })
  try {
    const content = createContent({ root })
    const before = host.files.space(root).availableBytes
    async function* endless() {
      for (;;) yield Buffer.alloc(100_000, 7)
    }
    await assert.rejects(content.ingest(endless()), { code: 'content.disk_full', hint: /system gc/ })
    await assert.rejects(content.ingestLayer(bytesOf(gzipSync(Buffer.alloc(20_000_000)))), { code: 'content.disk_full' })
    assert.deepEqual([readdirSync(join(root, 'content/ingest')), readdirSync(join(root, 'content/blobs/sha256'))], [[], []])
    assert.equal(host.files.space(root).availableBytes, before)
    const small = await content.ingest(bytesOf(Buffer.from('there is room for this')))
    assert.ok(content.stat(small.digest))
  } finally {
    host.mounts.unmount(root, { lazy: true })
    rmSync(root, { recursive: true })
  }
})

test('killed at any time, the next start finds whole images and nothing else', { timeout: 120_000 }, async () => {
  const root = temporaryRoot()
  try {
    for (const afterMs of [30, 80, 150, 220, 400]) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'images-writer.ts'), root], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      await delay(afterMs)
      child.kill('SIGKILL')
      await once(child, 'close')
      using rig = await realImages(root)
      const content = createContent({ root })
      const named = new Set<string>()
      for (const image of rig.images.list())
        for (const digest of [image.id, ...image.layers.map(({ diffId }) => diffId)]) {
          await content.verify(digest)
          named.add(digest)
          if (digest !== image.id) assert.ok(rig.snapshots.hasLayer(digest), 'its layers can be mounted')
        }
      assert.deepEqual(new Set((await content.list()).map(({ digest }) => digest)), named, 'no blob without an image')
      assert.deepEqual(new Set(rig.snapshots.list().map(({ diffId }) => diffId)).difference(named), new Set())
      assert.deepEqual(readdirSync(join(root, 'content/ingest')), [])
      assert.deepEqual(readdirSync(join(root, 'tmp/images')), [])
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

/** Two real root file systems take most of a minute and a mirror: `GLOVEBOX_SKIP_SLOW=1` leaves them out of a quick run. */
const isSlowSkipped = process.env['GLOVEBOX_SKIP_SLOW'] === '1'

test('Debian is made out of its packages, twice the same', { skip: isSlowSkipped, timeout: 600_000 }, async () => {
  const made: string[] = []
  for (let run = 0; run < 2; run += 1) {
    using rig = await realImages()
    for await (const progress of rig.images.bootstrap('debian:bookworm-slim'))
      if (progress.type === 'loaded') assert.equal(progress.ref, 'debian:bookworm-slim')
    const image = rig.images.get('debian:bookworm-slim')
    made.push(image.id)
    assert.deepEqual(readdirSync(join(rig.root, 'tmp/images')), [])
    const target = join(rig.root, 'view')
    mkdirSync(target)
    using _view = rig.snapshots.mountReadOnly(
      image.layers.map(({ diffId }) => diffId),
      target,
    )
    assert.match(readFileSync(join(target, 'etc/os-release'), 'utf8'), /VERSION_CODENAME=bookworm/)
    assert.match(
      readFileSync(join(target, 'etc/apt/sources.list.d/debian.sources'), 'utf8'),
      /URIs: http:\/\/deb\.debian\.org\/debian\n/,
    )
    assert.match(readFileSync(join(target, 'usr/sbin/policy-rc.d'), 'utf8'), /exit 101/)
    const names = readdirSync(join(target, 'etc'))
    for (const absent of ['hostname', 'resolv.conf', 'machine-id']) assert.ok(!names.includes(absent), absent)
    assert.deepEqual(readdirSync(join(target, 'dev')), [])
  }
  assert.equal(made[0], made[1])
})
