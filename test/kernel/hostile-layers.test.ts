import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { after, before, test } from 'node:test'

import { HOSTILE_IMAGES, type HostileImage } from './hostile-layers.ts'
import { file, tar } from './hostile-tar.ts'
import { realImages, type RealImages } from './images-fixture.ts'
import { gather, pullFrom } from './registry-fixture.ts'
import { fakeRegistry, offerImage, sha256, TYPES, type FakeRegistry } from './registry-server.ts'

/** A directory of the host beside the engine's root. Whatever images do, its hash stays. */
let canary = ''
let registry: FakeRegistry

before(async () => {
  canary = mkdtempSync(join(tmpdir(), 'gb-canary-'))
  mkdirSync(join(canary, 'd'))
  writeFileSync(join(canary, 'f'), 'alive')
  writeFileSync(join(canary, 'd/g'), 'alive')
  symlinkSync('f', join(canary, 'l'))
  registry = await fakeRegistry()
})
after(async () => {
  rmSync(canary, { recursive: true })
  await registry.close()
})

/** Names, kinds, modes, times and contents. */
function hashOf(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const path = join(directory, name)
    const stat = lstatSync(path)
    hash.update(`${name} ${stat.mode} ${stat.nlink} ${stat.uid} ${stat.mtimeMs} ${stat.ctimeMs}\n`)
    if (stat.isFile()) hash.update(readFileSync(path))
  }
  return hash.digest('hex')
}

/** `NAME=CONTENT`, `NAME -> TARGET`, `NAME` for directories, and what devices and modes there are. Links are not followed. */
function shown(root: string, prefix = ''): readonly string[] {
  return readdirSync(Buffer.from(`${root}/${prefix}`, 'latin1'), { encoding: 'latin1' }).flatMap((name) => {
    const path = Buffer.from(`${root}/${prefix}${name}`, 'latin1')
    const shownName = `${prefix}${name}`
    // Where no layer below has the directory, overlayfs lists the mark of a deletion and finds nothing behind it.
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return [`${shownName} deleted`]
    if (stat.isSymbolicLink()) return [`${shownName} -> ${readlinkSync(path)}`]
    if (stat.isFile()) return [`${shownName}=${readFileSync(path, 'utf8')}${(stat.mode & 0o4000) === 0 ? '' : ' setuid'}`]
    if (stat.isBlockDevice()) return [`${shownName} block ${stat.rdev >> 8}:${stat.rdev & 0xff}`]
    return [shownName, ...shown(root, `${shownName}/`)]
  })
}

const plain = (layer: Buffer) => (layer[0] === 0x1f && layer[1] === 0x8b ? tolerantGunzip(layer) : layer)
function tolerantGunzip(bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes)
  } catch {
    // Spoilt on purpose: whatever it would be, it never comes to that.
    return bytes
  }
}

const config = (layers: readonly Buffer[]) =>
  Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(plain(layer))) },
    }),
  )

/** As `docker save` packs them. */
function archiveOf(layers: readonly Buffer[]): Buffer {
  const Layers = layers.map((_, at) => `${at}.tar`)
  return tar(
    file('manifest.json', JSON.stringify([{ Config: 'c.json', RepoTags: ['hostile:1'], Layers }])),
    file('c.json', config(layers)),
    ...layers.map((layer, at) => file(`${at}.tar`, layer)),
  )
}

type Door = (rig: RealImages, layers: readonly Buffer[]) => Promise<unknown>
const DOORS: Readonly<Record<string, Door>> = {
  load: async ({ images }, layers) => await gather(images.load(Readable.from([archiveOf(layers)]))),
  pull: async (rig, layers) => {
    const offered = layers.map((bytes) => ({ tar: plain(bytes), bytes, mediaType: bytes[0] === 0x1f ? TYPES.gzip : TYPES.layer }))
    offerImage(registry, '1', offered)
    await pullFrom(rig, `${registry.host}/hostile:1`)
  },
  import: async ({ images }, [layer = Buffer.alloc(0)]) =>
    await images.import({ tar: Readable.from([layer]), ref: 'hostile:1', message: '', changes: [], platform: null }),
}

const leftovers = (rig: RealImages) => [
  ...['content/blobs/sha256', 'content/ingest', 'tmp/images', 's/layers'].flatMap((path) => readdirSync(join(rig.root, path))),
  ...rig.images.list().map(({ id }) => id),
]

async function expectOutcome(rig: RealImages, door: Door, image: HostileImage): Promise<void> {
  const before = hashOf(canary)
  const layers = image.layers(canary)
  if ('code' in image.expected) {
    const { code } = image.expected
    await assert.rejects(door(rig, layers), (error: { code?: string; message: string }) => {
      assert.equal(error.code, code, error.message)
      return true
    })
  } else {
    await door(rig, layers)
    const [record] = rig.images.list()
    assert.ok(record !== undefined)
    const view = mkdtempSync(join(rig.root, 'view-'))
    {
      using _mount = rig.snapshots.mountReadOnly(
        record.layers.map(({ diffId }) => diffId),
        view,
      )
      assert.deepEqual(shown(view).toSorted(), image.expected.shows(canary).toSorted())
    }
    await rig.images.remove(record.id, { force: true, noPrune: false })
  }
  assert.deepEqual(leftovers(rig), [])
  assert.equal(hashOf(canary), before, 'the host beside it')
}

for (const kind of ['erofs', 'directory'] as const) {
  for (const [name, door] of Object.entries(DOORS)) {
    // What a layer means is found out in one place for all doors; the second driver need not be led through each.
    if (kind === 'directory' && name !== 'load') continue
    test(`hostile layers, by ${name}, kept as ${kind}`, async (t) => {
      using rig = await realImages(undefined, kind)
      for (const image of HOSTILE_IMAGES) {
        if (name === 'import' && image.layers(canary).length > 1) continue
        await t.test(`${image.item}: ${image.title}`, async () => await expectOutcome(rig, door, image))
      }
    })
  }
}
