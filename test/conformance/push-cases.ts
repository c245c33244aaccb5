import assert from 'node:assert/strict'

import { section, type Case } from './case.ts'
import {
  ask,
  blob,
  descriptor,
  digestOf,
  errorCode,
  finishUpload,
  imageOf,
  location,
  pushBlob,
  pushImage,
  putManifest,
  startUpload,
  statusOf,
  TYPES,
  withQuery,
  type Exam,
} from './wire.ts'

async function patch(exam: Exam, at: string, body: Buffer, range?: string): Promise<Response> {
  const headers = { 'content-type': 'application/octet-stream', ...(range === undefined ? {} : { 'content-range': range }) }
  return await ask(exam, at, { method: 'PATCH', headers, body })
}

async function isThere(exam: Exam, digest: string, name = exam.name): Promise<void> {
  await statusOf(await ask(exam, `/v2/${name}/blobs/${digest}`, { method: 'HEAD' }), 200)
}

export const PUSH_CASES: readonly Case[] = [
  ...section('Pushing a blob monolithically', {
    'POST then PUT': async (exam) => {
      const body = blob(5000)
      const done = await statusOf(await finishUpload(exam, await startUpload(exam), digestOf(body), body), 201)
      const got = await statusOf(await ask(exam, location(done)), 200)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), body)
    },
    'a single POST is taken, or an upload is begun instead': async (exam) => {
      const body = blob()
      const at = withQuery(`/v2/${exam.name}/blobs/uploads/`, 'digest', digestOf(body))
      const answer = await ask(exam, at, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body })
      await statusOf(answer, 201, 202)
      if (answer.status === 202) await statusOf(await finishUpload(exam, location(answer), digestOf(body), body), 201)
      await isThere(exam, digestOf(body))
    },
    'the same blob may be pushed again': async (exam) => {
      const body = blob()
      await pushBlob(exam, body)
      await pushBlob(exam, body)
    },
    'bytes of another digest are refused, and are not there': async (exam) => {
      const [body, other] = [blob(), blob()]
      const refused = await statusOf(await finishUpload(exam, await startUpload(exam), digestOf(other), body), 400)
      assert.equal(await errorCode(refused), 'DIGEST_INVALID')
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digestOf(other)}`, { method: 'HEAD' }), 404)
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digestOf(body)}`, { method: 'HEAD' }), 404)
    },
    'a digest that is none is refused': async (exam) =>
      void (await statusOf(await finishUpload(exam, await startUpload(exam), 'sha256:../../x', blob()), 400)),
    'an end without a digest is refused': async (exam) =>
      void (await statusOf(await ask(exam, await startUpload(exam), { method: 'PUT', body: blob() }), 400)),
    'a repository name that the grammar does not have is refused': async (exam) =>
      void (await statusOf(await ask(exam, '/v2/UPPER/Case/blobs/uploads/', { method: 'POST' }), 400, 404)),
  }),
  ...section('Pushing a blob in chunks', {
    'chunks that follow each other make the blob': async (exam) => {
      const body = blob(3000)
      let at = await startUpload(exam)
      for (const start of [0, 1000, 2000])
        at = location(await statusOf(await patch(exam, at, body.subarray(start, start + 1000), `${start}-${start + 999}`), 202))
      await statusOf(await finishUpload(exam, at, digestOf(body)), 201)
      await isThere(exam, digestOf(body))
    },
    'each answer says how far it is': async (exam) => {
      const answer = await statusOf(await patch(exam, await startUpload(exam), blob(1000), '0-999'), 202)
      assert.equal(answer.headers.get('range'), '0-999')
    },
    'the last chunk may come with the end': async (exam) => {
      const body = blob(2000)
      const at = location(await statusOf(await patch(exam, await startUpload(exam), body.subarray(0, 1000), '0-999'), 202))
      const headers = { 'content-type': 'application/octet-stream', 'content-range': '1000-1999' }
      const end = withQuery(at, 'digest', digestOf(body))
      await statusOf(await ask(exam, end, { method: 'PUT', headers, body: body.subarray(1000) }), 201)
      await isThere(exam, digestOf(body))
    },
    'a chunk out of order is 416, and the upload goes on after it': async (exam) => {
      const body = blob(2000)
      const at = location(await statusOf(await patch(exam, await startUpload(exam), body.subarray(0, 1000), '0-999'), 202))
      await statusOf(await patch(exam, at, body.subarray(1500), '1500-1999'), 416)
      const state = await statusOf(await ask(exam, at), 204)
      assert.equal(state.headers.get('range'), '0-999')
      const next = location(await statusOf(await patch(exam, location(state), body.subarray(1000), '1000-1999'), 202))
      await statusOf(await finishUpload(exam, next, digestOf(body)), 201)
    },
    'a first chunk that does not begin at 0 is 416': async (exam) =>
      void (await statusOf(await patch(exam, await startUpload(exam), blob(10), '5-14'), 416)),
    'a chunk that comes twice is 416': async (exam) => {
      const body = blob(10)
      const at = location(await statusOf(await patch(exam, await startUpload(exam), body, '0-9'), 202))
      await statusOf(await patch(exam, at, body, '0-9'), 416)
    },
    'a stream without Content-Range is taken as it comes': async (exam) => {
      const body = blob(4000)
      const at = location(await statusOf(await patch(exam, await startUpload(exam), body), 202))
      await statusOf(await finishUpload(exam, at, digestOf(body)), 201)
    },
    'an upload that was cancelled is gone': async (exam) => {
      const at = await startUpload(exam)
      await statusOf(await ask(exam, at, { method: 'DELETE' }), 204, 202)
      const refused = await statusOf(await finishUpload(exam, at, digestOf(blob()), blob()), 404)
      assert.equal(await errorCode(refused), 'BLOB_UPLOAD_UNKNOWN')
    },
    'an upload of another repository is not there': async (exam) => {
      const at = await startUpload(exam)
      const path = at.replace(/^https?:\/\/[^/]+/, '').replace(`/v2/${exam.name}/`, `/v2/${exam.other}/`)
      await statusOf(await patch(exam, path, blob(10)), 404, 400)
    },
    'a sha512 digest ends an upload': async (exam) => {
      const body = blob(100)
      await statusOf(await finishUpload(exam, await startUpload(exam), digestOf(body, 'sha512'), body), 201)
    },
  }),
  ...section('Mounting a blob from another repository', {
    'a blob that is there is mounted': async (exam) => {
      const digest = await pushBlob(exam, blob(), exam.other)
      const at = withQuery(withQuery(`/v2/${exam.name}/blobs/uploads/`, 'mount', digest), 'from', exam.other)
      await statusOf(await ask(exam, at, { method: 'POST', headers: { 'content-length': '0' } }), 201)
      await isThere(exam, digest)
    },
    'a blob that is not there begins an upload': async (exam) => {
      const at = withQuery(withQuery(`/v2/${exam.name}/blobs/uploads/`, 'mount', digestOf(blob())), 'from', exam.other)
      location(await statusOf(await ask(exam, at, { method: 'POST', headers: { 'content-length': '0' } }), 202))
    },
    'without from the registry finds it, or begins an upload': async (exam) => {
      const digest = await pushBlob(exam, blob(), exam.other)
      const at = withQuery(`/v2/${exam.name}/blobs/uploads/`, 'mount', digest)
      await statusOf(await ask(exam, at, { method: 'POST', headers: { 'content-length': '0' } }), 201, 202)
    },
  }),
  ...section('Pushing manifests', {
    'by tag, with location and digest': async (exam) => {
      const image = await imageOf(exam)
      const done = await statusOf(await putManifest(exam, image, 'pushed'), 201)
      assert.equal(done.headers.get('docker-content-digest'), image.digest)
      await statusOf(await ask(exam, location(done)), 200)
    },
    'by digest': async (exam) => {
      const image = await imageOf(exam)
      await statusOf(await putManifest(exam, image, image.digest), 201)
    },
    'by a digest that is not its own is refused': async (exam) => {
      const image = await imageOf(exam)
      assert.equal(await errorCode(await statusOf(await putManifest(exam, image, digestOf(blob())), 400)), 'DIGEST_INVALID')
    },
    'a tag moves': async (exam) => {
      await pushImage(exam, 'moving')
      const { digest } = await pushImage(exam, 'moving')
      const got = await ask(exam, `/v2/${exam.name}/manifests/moving`, { method: 'HEAD' })
      assert.equal(got.headers.get('docker-content-digest'), digest)
    },
    'what the tag named before is still there by digest': async (exam) => {
      const before = await pushImage(exam, 'moving')
      await pushImage(exam, 'moving')
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${before.digest}`), 200)
    },
    'a layer that is not there is refused': async (exam) => {
      const config = blob()
      await pushBlob(exam, config)
      const body = {
        schemaVersion: 2,
        mediaType: TYPES.manifest,
        config: descriptor(TYPES.config, config),
        layers: [descriptor(TYPES.layer, blob())],
      }
      const refused = await putManifest(exam, { bytes: Buffer.from(JSON.stringify(body)), mediaType: TYPES.manifest }, 'broken')
      assert.ok(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN'].includes(await errorCode(await statusOf(refused, 400, 404))))
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/broken`), 404)
    },
    'what is no manifest is refused': async (exam) => {
      for (const text of ['', '{', '[]', '"x"', '{"schemaVersion":1}']) {
        const refused = await putManifest(exam, { bytes: Buffer.from(text), mediaType: TYPES.manifest }, 'broken')
        await statusOf(refused, 400, 404)
      }
    },
    'a type that the document contradicts is refused': async (exam) => {
      const image = await imageOf(exam)
      await statusOf(await putManifest(exam, { ...image, mediaType: TYPES.index }, 'broken'), 400)
    },
    'a document that is manifest and index at once is refused': async (exam) => {
      const image = await imageOf(exam, { manifests: [] })
      await statusOf(await putManifest(exam, image, 'broken'), 400)
    },
    'a tag that the grammar does not have is refused': async (exam) => {
      const image = await imageOf(exam)
      for (const tag of ['.hidden', '-dash', 'a'.repeat(129)]) await statusOf(await putManifest(exam, image, tag), 400, 404)
    },
    'tags are taken as they are written': async (exam) => {
      for (const tag of ['UPPER', '_under', 'a.b-c_d', 'a'.repeat(128)]) await pushImage(exam, tag)
    },
    'four megabytes of manifest are taken': async (exam) => {
      const padding = 'x'.repeat(4 * 1024 * 1024 - 2000)
      await pushImage(exam, 'large', { annotations: { padding } })
    },
    'more than that is refused or taken, and never a failure': async (exam) => {
      const image = await imageOf(exam, { annotations: { padding: 'x'.repeat(5 * 1024 * 1024) } })
      await statusOf(await putManifest(exam, image, 'larger'), 201, 400, 413)
    },
    'an index over manifests that are there': async (exam) => {
      const image = await pushImage(exam, 'one')
      const manifests = [{ ...descriptor(TYPES.manifest, image.bytes), platform: { os: 'linux', architecture: 'amd64' } }]
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests }))
      await statusOf(await putManifest(exam, { bytes, mediaType: TYPES.index }, 'index'), 201)
      const got = await ask(exam, `/v2/${exam.name}/manifests/index`, { headers: { accept: TYPES.index } })
      assert.equal(got.headers.get('content-type'), TYPES.index)
    },
    'an index of nothing': async (exam) => {
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.index, manifests: [] }))
      await statusOf(await putManifest(exam, { bytes, mediaType: TYPES.index }, 'empty'), 201)
    },
    'a list of Docker manifests': async (exam) => {
      const image = await pushImage(exam, 'docker', {}, TYPES.dockerManifest)
      const manifests = [{ ...descriptor(TYPES.dockerManifest, image.bytes), platform: { os: 'linux', architecture: 'amd64' } }]
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: TYPES.dockerList, manifests }))
      await statusOf(await putManifest(exam, { bytes, mediaType: TYPES.dockerList }, 'list'), 201)
    },
    'a manifest with fields of tomorrow comes back whole': async (exam) => {
      const { bytes } = await pushImage(exam, 'future', { later: { nested: [1, 2, 3] }, annotations: { 'a.b': 'c' } })
      const got = await ask(exam, `/v2/${exam.name}/manifests/future`)
      assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes)
    },
    'an artifact with the empty configuration': async (exam) => {
      const empty = Buffer.from('{}')
      await pushBlob(exam, empty)
      await pushImage(exam, 'artifact', { artifactType: 'application/vnd.example', config: descriptor(TYPES.empty, empty) })
    },
    'layers of any type are taken': async (exam) => {
      const layer = blob()
      await pushBlob(exam, layer)
      await pushImage(exam, 'odd', { layers: [descriptor('application/vnd.example.data.v1+json', layer)] })
    },
  }),
]
