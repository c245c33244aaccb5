import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { memoryRecords, systemRandom, virtualClock } from '#base'
import { digestOf } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

import { createProxy } from './proxy.ts'
import { createRepositories } from './repositories.ts'

const LAYER = 'the content of a layer'

const manifestOf = (layer: string) =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf('config'), size: 6 },
      layers: [{ mediaType: MEDIA_TYPES.ociLayer, digest: digestOf(layer), size: layer.length }],
    }),
  )

/** Another registry, which counts what it is asked for. */
function rig() {
  const root = mkdtempSync(join(tmpdir(), 'proxy-'))
  const clock = virtualClock(1_700_000_000_000)
  const repositories = createRepositories({ root, records: memoryRecords(), clock, random: systemRandom() })
  const state = { manifest: manifestOf(LAYER), sent: LAYER, isDown: false, asked: [] as string[] }
  const upstream = {
    manifest: async (path: string, reference: string) => {
      state.asked.push(`${path}:${reference}`)
      if (state.isDown) throw new Error('nobody answers')
      return { bytes: state.manifest, mediaType: MEDIA_TYPES.ociManifest }
    },
    blob: async function* (path: string) {
      state.asked.push(path)
      yield Buffer.from(state.sent.slice(0, 5))
      yield Buffer.from(state.sent.slice(5))
    },
  }
  const proxy = createProxy(repositories, [{ prefix: 'docker', upstream }], clock)
  return { clock, repositories, state, proxy, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

async function take(proxy: ReturnType<typeof rig>['proxy'], name: string, digest: string): Promise<string> {
  const found = await proxy.fetch(name, digest)
  const chunks: Buffer[] = []
  for await (const chunk of found?.body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('what is asked for is fetched once and kept', async () => {
  using at = rig()
  const name = 'docker/library/debian'
  await at.proxy.freshen(name, '12')
  await at.proxy.freshen(name, '12')
  assert.deepEqual((await at.repositories.getManifest(name, '12')).bytes, at.state.manifest)
  assert.deepEqual(await Promise.all([take(at.proxy, name, digestOf(LAYER)), take(at.proxy, name, digestOf(LAYER))]), [
    LAYER,
    LAYER,
  ])
  assert.deepEqual(at.state.asked, ['library/debian:12', 'library/debian'])
  assert.equal(at.repositories.statBlob(name, digestOf(LAYER)).sizeBytes, LAYER.length)
})

test('a tag is asked for again after a while, and what is here is served while nobody answers', async () => {
  using at = rig()
  const name = 'docker/library/debian'
  await at.proxy.freshen(name, '12')
  await at.clock.advance(61_000)
  at.state.isDown = true
  await at.proxy.freshen(name, '12')
  assert.equal(at.state.asked.length, 2)
  await assert.rejects(at.proxy.freshen(name, 'never-seen'), /nobody answers/)
})

test('bytes that are not what the manifest names are not kept', async () => {
  using at = rig()
  const name = 'docker/library/debian'
  await at.proxy.freshen(name, '12')
  at.state.sent = 'something else'
  await assert.rejects(take(at.proxy, name, digestOf(LAYER)), { code: 'digest.mismatch' })
  assert.throws(() => at.repositories.statBlob(name, digestOf(LAYER)), { code: 'repository.blob_unknown' })
})

test('other repositories are nobody else’s', async () => {
  using at = rig()
  await at.proxy.freshen('team/web', '1')
  assert.deepEqual([at.proxy.covers('team/web'), at.proxy.covers('dockerx/y'), at.proxy.covers('docker/x')], [false, false, true])
  assert.equal(await at.proxy.fetch('team/web', digestOf('x')), undefined)
  await assert.rejects(at.proxy.fetch('docker/x', digestOf('x')), { code: 'repository.blob_unknown' })
  assert.deepEqual(at.state.asked, [])
})
