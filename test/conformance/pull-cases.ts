import assert from 'node:assert/strict'

import { section, type Case } from './case.ts'
import { ask, blob, digestOf, errorCode, pushBlob, pushImage, statusOf, TYPES } from './wire.ts'

const NOWHERE = `sha256:${'0'.repeat(64)}`

export const PULL_CASES: readonly Case[] = [
  ...section('API versions', {
    'the base answers that the API is spoken': async (exam) => void (await statusOf(await ask(exam, '/v2/'), 200)),
    'the base answers to HEAD': async (exam) => void (await statusOf(await ask(exam, '/v2/', { method: 'HEAD' }), 200)),
  }),
  ...section('Pulling manifests', {
    'a manifest comes back byte for byte by its tag': async (exam) => {
      const { bytes } = await pushImage(exam, 'pulled')
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/manifests/pulled`), 200)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes)
    },
    'a manifest comes back by its digest, which the header repeats': async (exam) => {
      const { bytes, digest } = await pushImage(exam, 'pulled')
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${digest}`), 200)
      assert.equal(got.headers.get('docker-content-digest'), digest)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes)
    },
    'the content type is the type that was pushed': async (exam) => {
      for (const mediaType of [TYPES.manifest, TYPES.dockerManifest]) {
        await pushImage(exam, 'typed', {}, mediaType)
        const got = await ask(exam, `/v2/${exam.name}/manifests/typed`, { headers: { accept: mediaType } })
        assert.equal(got.headers.get('content-type'), mediaType)
      }
    },
    'HEAD of a manifest gives length and digest and no body': async (exam) => {
      const { bytes, digest } = await pushImage(exam, 'pulled')
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/manifests/pulled`, { method: 'HEAD' }), 200)
      assert.deepEqual(
        [got.headers.get('content-length'), got.headers.get('docker-content-digest')],
        [String(bytes.length), digest],
      )
      assert.equal(await got.text(), '')
    },
    'a tag that is not there is 404 with its code': async (exam) => {
      await pushImage(exam, 'there')
      assert.equal(await errorCode(await statusOf(await ask(exam, `/v2/${exam.name}/manifests/absent`), 404)), 'MANIFEST_UNKNOWN')
    },
    'a digest that is not there is 404 with its code': async (exam) => {
      await pushImage(exam, 'there')
      assert.equal(
        await errorCode(await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${NOWHERE}`), 404)),
        'MANIFEST_UNKNOWN',
      )
    },
    'HEAD of what is not there is 404': async (exam) =>
      void (await statusOf(await ask(exam, `/v2/${exam.name}/manifests/absent`, { method: 'HEAD' }), 404)),
    'a repository that is not there is 404': async (exam) =>
      void (await statusOf(await ask(exam, `/v2/${exam.name}/nowhere/manifests/1`), 404)),
    'a digest that is none is refused': async (exam) => {
      await pushImage(exam, 'there')
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/sha256:totallywrong`), 400, 404)
    },
    'an image that the client has is not sent again': async (exam) => {
      const { digest } = await pushImage(exam, 'pulled')
      const first = await ask(exam, `/v2/${exam.name}/manifests/${digest}`)
      const etag = first.headers.get('etag')
      assert.ok(etag !== null, 'there is an ETag')
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${digest}`, { headers: { 'if-none-match': etag } }), 304)
    },
  }),
  ...section('Pulling blobs', {
    'a blob comes back byte for byte': async (exam) => {
      const body = blob(100_000)
      const digest = await pushBlob(exam, body)
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`), 200)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), body)
    },
    'HEAD of a blob gives its length and digest': async (exam) => {
      const digest = await pushBlob(exam, blob(123))
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { method: 'HEAD' }), 200)
      assert.deepEqual([got.headers.get('content-length'), got.headers.get('docker-content-digest')], ['123', digest])
    },
    'an empty blob is a blob': async (exam) => {
      const digest = await pushBlob(exam, Buffer.alloc(0))
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`), 200)
      assert.equal((await got.arrayBuffer()).byteLength, 0)
    },
    'a blob that is not there is 404 with its code': async (exam) => {
      assert.equal(await errorCode(await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${NOWHERE}`), 404)), 'BLOB_UNKNOWN')
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${NOWHERE}`, { method: 'HEAD' }), 404)
    },
    'a blob of another repository is not there': async (exam) => {
      const digest = await pushBlob(exam, blob(), exam.other)
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`), 404)
    },
    'a digest that is none is refused': async (exam) =>
      void (await statusOf(await ask(exam, `/v2/${exam.name}/blobs/sha256:../../etc/passwd`), 400, 404)),
    'a range gives that part': async (exam) => {
      const body = blob(1000)
      const digest = await pushBlob(exam, body)
      const got = await statusOf(
        await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { headers: { range: 'bytes=100-299' } }),
        206,
      )
      assert.equal(got.headers.get('content-range'), 'bytes 100-299/1000')
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), body.subarray(100, 300))
    },
    'an open range goes to the end': async (exam) => {
      const body = blob(1000)
      const digest = await pushBlob(exam, body)
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { headers: { range: 'bytes=900-' } }), 206)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), body.subarray(900))
    },
    'the last bytes can be asked for': async (exam) => {
      const body = blob(1000)
      const digest = await pushBlob(exam, body)
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { headers: { range: 'bytes=-10' } }), 206)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), body.subarray(990))
    },
    'a range outside is 416': async (exam) => {
      const digest = await pushBlob(exam, blob(10))
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { headers: { range: 'bytes=10-20' } }), 416)
    },
    'a sha512 blob goes by its digest': async (exam) => {
      const body = blob(200)
      const digest = await pushBlob(exam, body, exam.name, digestOf(body, 'sha512'))
      const got = await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`), 200)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), body)
    },
  }),
]
