import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError, memoryRecords, systemRandom, virtualClock } from '#base'
import { digestOf, parseVerifiableDigest } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

import { BLOB_GRACE_MS } from './limits.ts'
import { createRepositories } from './repositories.ts'
import type { Repositories } from './port.ts'

const ROUNDS = Number(process.env['GLOVEBOX_REGISTRY_RACES'] ?? 8)

const NAMES = ['team/a', 'team/b'] as const
/** Few, so that everybody wants the same. */
const LAYERS = ['layer one', 'layer two', 'layer three'] as const

/** What a client that comes too late is told; everything else is a failure of the registry. */
const TOLD = new Set([
  'repository.unknown',
  'repository.manifest_unknown',
  'repository.manifest_blob_unknown',
  'repository.manifest_in_use',
  'repository.blob_unknown',
  'repository.blob_in_use',
  'repository.upload_unknown',
])

type Step =
  | { readonly kind: 'push'; readonly name: string; readonly layers: readonly string[]; readonly tag: string }
  | { readonly kind: 'index' | 'remove' | 'mount' | 'drop'; readonly name: string; readonly layer: string; readonly tag: string }
  | { readonly kind: 'collect'; readonly untaggedAfterMs: number }

const name = fc.constantFrom(...NAMES)
const tag = fc.constantFrom('1', '2')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), name, tag, layers: fc.subarray([...LAYERS], { minLength: 1 }) }),
  fc.record({ kind: fc.constantFrom('index', 'remove', 'mount', 'drop'), name, tag, layer: fc.constantFrom(...LAYERS) }),
  fc.record({ kind: fc.constant('collect' as const), untaggedAfterMs: fc.constantFrom(0, 3_600_000) }),
)

async function* bytes(text: string) {
  yield Buffer.from(text)
  await Promise.resolve()
}

async function pushBlob(repositories: Repositories, at: string, text: string): Promise<void> {
  const digest = digestOf(text)
  try {
    repositories.statBlob(at, digest)
    return
  } catch (error) {
    refuseStrange(error)
  }
  const { id } = await repositories.startUpload(at)
  await repositories.appendUpload(at, id, bytes(text), {})
  await repositories.finishUpload(at, id, parseVerifiableDigest(digest))
}

function manifestOf(layers: readonly string[]): Buffer {
  const [config, ...rest] = ['config', ...layers].map((text) => ({
    mediaType: MEDIA_TYPES.ociLayer,
    digest: digestOf(text),
    size: text.length,
  }))
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: rest }))
}

function refuseStrange(error: unknown): void {
  if (!(error instanceof GloveboxError) || !TOLD.has(error.code)) throw error
}

test('whatever is pushed, mounted, deleted and collected at the same time, no manifest is without what it names', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { minLength: 5, maxLength: 12, size: 'max' }), { minLength: 4, maxLength: 6 }),
      async (clients) => {
        const root = mkdtempSync(join(tmpdir(), 'races-'))
        const clock = virtualClock(1_700_000_000_000)
        const records = memoryRecords()
        const open = () => createRepositories({ root, records, clock, random: systemRandom() })
        const repositories = open()
        const act = async (one: Step) => {
          if (one.kind === 'push') {
            for (const text of ['config', ...one.layers]) await pushBlob(repositories, one.name, text)
            const put = { mediaType: MEDIA_TYPES.ociManifest, bytes: manifestOf(one.layers), tags: [one.tag] }
            await repositories.putManifest(one.name, put)
          }
          if (one.kind === 'index') {
            const { digest, mediaType, sizeBytes } = repositories.statManifest(one.name, one.tag)
            const manifests = [{ mediaType, digest, size: sizeBytes }]
            const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }))
            await repositories.putManifest(one.name, { mediaType: MEDIA_TYPES.ociIndex, bytes: index, tags: ['index'] })
          }
          if (one.kind === 'remove')
            await repositories.deleteManifest(one.name, repositories.statManifest(one.name, one.tag).digest)
          if (one.kind === 'mount') repositories.mountBlob(one.name, digestOf(one.layer), NAMES[one.name === NAMES[0] ? 1 : 0])
          if (one.kind === 'drop') await repositories.deleteBlob(one.name, digestOf(one.layer))
          if (one.kind === 'collect') {
            // All that is there is old now, and what comes next is not.
            await clock.advance(BLOB_GRACE_MS + 1)
            await repositories.collect({ rules: [{ repositories: '**', untaggedAfterMs: one.untaggedAfterMs }] })
          }
        }
        try {
          await Promise.all(
            clients.map(async (steps) => {
              for (const one of steps) {
                await act(one).catch(refuseStrange)
                expectWhole(repositories)
              }
            }),
          )
          const again = open()
          await again.recover()
          for (const one of [repositories, again]) await expectRight(one)
          await clock.advance(BLOB_GRACE_MS + 1)
          await again.collect({ rules: [] })
          await expectRight(again)
        } finally {
          rmSync(root, { recursive: true, force: true })
        }
      },
    ),
    { numRuns: ROUNDS },
  )
})

/** In one turn: nothing comes between the looks. */
function expectWhole(repositories: Repositories): void {
  for (const at of repositories.list({ limit: 100 }).names)
    for (const { digest } of repositories.manifests(at)) {
      for (const text of ['config', ...LAYERS]) {
        if (!manifestsWith(text).has(digest)) continue
        assert.ok(existsSync(repositories.blobFile(at, digestOf(text)).path), `${at} has ${digest}, and not its ${text}`)
      }
    }
}

const subsets = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => LAYERS.filter((_, index) => (bits & (1 << index)) !== 0))
/** The manifests that name a text. */
function manifestsWith(text: string): ReadonlySet<string> {
  return new Set(
    subsets
      .filter((layers) => text === 'config' || layers.some((layer) => layer === text))
      .map((layers) => digestOf(manifestOf(layers))),
  )
}

async function expectRight(repositories: Repositories): Promise<void> {
  expectWhole(repositories)
  for (const at of repositories.list({ limit: 100 }).names)
    for (const { digest } of repositories.manifests(at)) {
      const { bytes: found } = await repositories.getManifest(at, digest)
      assert.equal(digestOf(found), digest)
      const {
        manifests = [],
        config,
        layers = [],
      } = JSON.parse(found.toString()) as {
        manifests?: { digest: string }[]
        config?: { digest: string }
        layers?: { digest: string }[]
      }
      for (const one of manifests) repositories.statManifest(at, one.digest)
      for (const one of config === undefined ? [] : [config, ...layers])
        assert.equal(digestOf(await readFile(repositories.blobFile(at, one.digest).path)), one.digest)
    }
}
