import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import type { GloveboxError } from '#base'
import { linuxHost } from '#host'
import { digestOf } from '#oci/digest'

import { realImages, temporaryRoot, type RealImages } from './images-fixture.ts'
import { gather, pullFrom } from './registry-fixture.ts'
import { fakeRegistry, offerImage, TYPES } from './registry-server.ts'
import { tarOf } from './snapshots-fixture.ts'

const MB = 1024 * 1024
const DISK_BYTES = 24 * MB
const LAYER_BYTES = 6 * MB
const RECORDS_BYTES = 64 * 1024

interface SmallDisk extends Disposable {
  readonly real: RealImages
  readonly root: string
  /** Leaves so much room. */
  fill(availableBytes: number): void
  empty(): void
  /** Everything that may be left of what failed. */
  leftovers(): readonly string[]
}

async function smallDisk(): Promise<SmallDisk> {
  const mountPoint = temporaryRoot()
  const host = linuxHost()
  host.mounts.tmpfs({ target: mountPoint, sizeBytes: DISK_BYTES })
  const root = join(mountPoint, 'root')
  mkdirSync(root)
  const real = await realImages(root)
  const ballast = join(mountPoint, 'ballast')
  return {
    real,
    root,
    fill: (availableBytes) => {
      rmSync(ballast, { force: true })
      writeFileSync(ballast, Buffer.alloc(host.files.space(root).availableBytes - availableBytes))
    },
    empty: () => rmSync(ballast, { force: true }),
    leftovers: () => [
      ...['content/blobs/sha256', 'content/ingest', 'tmp/images', 'tmp/registry', 's/layers', 's/m'].flatMap((path) =>
        list(root, path),
      ),
      ...real.images.list().map(({ id }) => id),
    ],
    [Symbol.dispose]: () => {
      real[Symbol.dispose]()
      host.mounts.unmount(mountPoint, { lazy: true })
      host[Symbol.dispose]()
      rmSync(mountPoint, { recursive: true })
    },
  }
}

function list(root: string, path: string): readonly string[] {
  try {
    return readdirSync(join(root, path)).map((name) => `${path}/${name}`)
  } catch {
    return []
  }
}

const layer = tarOf([
  { path: 'etc', type: 'directory' },
  { path: 'etc/random', body: randomBytes(LAYER_BYTES) },
])
const archive = imageArchive(layer)

function imageArchive(tar: Buffer): Buffer {
  const config = { architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [digestOf(tar)] } }
  return tarOf([
    { path: 'layer.tar', body: tar },
    { path: 'config.json', body: JSON.stringify(config) },
    { path: 'manifest.json', body: JSON.stringify([{ Config: 'config.json', RepoTags: ['full:1'], Layers: ['layer.tar'] }]) },
  ])
}

/** Far too little, just too little for the layer, for its index, for the records, and enough. */
const ROOMS = [
  0,
  8192,
  2 * MB,
  LAYER_BYTES,
  ...Array.from({ length: 12 }, (_, step) => LAYER_BYTES + 2048 + step * 4096),
  LAYER_BYTES + MB,
]

async function failsOrSucceeds(disk: SmallDisk, name: string, work: () => Promise<unknown>): Promise<void> {
  const clean = disk.leftovers()
  assert.deepEqual(clean, [])
  const outcomes = new Set<string>()
  for (const room of ROOMS) {
    disk.fill(room)
    let isDone = false
    try {
      await work()
      outcomes.add('done')
      const image = disk.real.images.get(name)
      assert.ok(disk.real.snapshots.hasLayer(image.layers[0]?.diffId ?? digestOf('')), 'whole')
      isDone = true
    } catch (error) {
      const { code, kind, hint, message } = error as GloveboxError
      assert.deepEqual([kind, code.endsWith('.disk_full')], ['exhausted', true], `with ${room} bytes left: ${code}: ${message}`)
      assert.match(hint ?? '', /Free some space|room/)
      if (code === 'content.disk_full') assert.ok(message.includes(`${disk.root}/`), message)
      outcomes.add(code)
    }
    // Removing is what makes room: it must do with what the records need.
    disk.fill(RECORDS_BYTES)
    if (isDone) await disk.real.images.remove(name, { force: true, noPrune: false })
    assert.deepEqual(disk.leftovers(), clean, `with ${room} bytes left`)
    disk.empty()
  }
  assert.ok(outcomes.has('done') && outcomes.has('content.disk_full'), [...outcomes].join(', '))
}

test('a load into a full disk leaves nothing, says where there is no room, and works when there is', async () => {
  using disk = await smallDisk()
  const load = async () => await gather(disk.real.images.load(Readable.from([archive], { objectMode: false })))
  await failsOrSucceeds(disk, 'full:1', load)
})

test('a pull onto a full disk leaves nothing, says where there is no room, and works when there is', async () => {
  const registry = await fakeRegistry()
  try {
    offerImage(registry, '1', [{ tar: layer, bytes: gzipSync(layer), mediaType: TYPES.gzip }])
    using disk = await smallDisk()
    const name = `${registry.host}/team/web:1`
    await failsOrSucceeds(disk, name, async () => await pullFrom(disk.real, name))
  } finally {
    await registry.close()
  }
})
