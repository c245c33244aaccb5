import assert from 'node:assert/strict'

import { section, type Case } from './case.ts'
import {
  ask,
  blob,
  descriptor,
  digestOf,
  errorCode,
  imageOf,
  pushBlob,
  pushImage,
  putManifest,
  statusOf,
  TYPES,
  type Exam,
} from './wire.ts'

async function tagsOf(exam: Exam, query = ''): Promise<{ readonly tags: readonly string[]; readonly next: string | undefined }> {
  const got = await statusOf(await ask(exam, `/v2/${exam.name}/tags/list${query}`), 200)
  const { name, tags } = (await got.json()) as { name: string; tags: readonly string[] | null }
  assert.equal(name, exam.name)
  return { tags: tags ?? [], next: /<([^>]+)>;\s*rel="?next"?/.exec(got.headers.get('link') ?? '')?.[1] }
}

async function pushTags(exam: Exam, ...tags: readonly string[]): Promise<void> {
  const image = await imageOf(exam)
  for (const tag of tags) await statusOf(await putManifest(exam, image, tag), 201)
}

interface Listed {
  readonly mediaType: string
  readonly manifests: readonly (Record<string, unknown> & { readonly digest: string })[]
}

async function referrersOf(
  exam: Exam,
  digest: string,
  query = '',
): Promise<{ readonly list: Listed; readonly response: Response }> {
  const response = await statusOf(await ask(exam, `/v2/${exam.name}/referrers/${digest}${query}`), 200)
  assert.equal(response.headers.get('content-type'), TYPES.index)
  return { list: (await response.json()) as Listed, response }
}

async function referrer(exam: Exam, subject: { readonly bytes: Buffer }, more: object = {}) {
  const image = await imageOf(exam, { subject: descriptor(TYPES.manifest, subject.bytes), ...more })
  return { ...image, response: await statusOf(await putManifest(exam, image, image.digest), 201) }
}

export const LIST_CASES: readonly Case[] = [
  ...section('Listing tags', {
    'all tags in their order': async (exam) => {
      await pushTags(exam, 'b', 'a', 'c')
      assert.deepEqual((await tagsOf(exam)).tags, ['a', 'b', 'c'])
    },
    'n gives so many': async (exam) => {
      await pushTags(exam, 'b', 'a', 'c')
      assert.deepEqual((await tagsOf(exam, '?n=2')).tags, ['a', 'b'])
    },
    'the link leads to the rest': async (exam) => {
      await pushTags(exam, 'b', 'a', 'c')
      const { next } = await tagsOf(exam, '?n=2')
      assert.ok(next !== undefined, 'there is a link')
      const rest = (await (await ask(exam, next)).json()) as { tags: readonly string[] }
      assert.deepEqual(rest.tags, ['c'])
    },
    'last goes on after a tag': async (exam) => {
      await pushTags(exam, 'b', 'a', 'c')
      assert.deepEqual((await tagsOf(exam, '?last=a')).tags, ['b', 'c'])
    },
    'last need not be a tag': async (exam) => {
      await pushTags(exam, 'b', 'a', 'c')
      assert.deepEqual((await tagsOf(exam, '?n=1&last=aa')).tags, ['b'])
    },
    'n of nothing gives nothing': async (exam) => {
      await pushTags(exam, 'a')
      assert.deepEqual((await tagsOf(exam, '?n=0')).tags, [])
    },
    'a repository that is not there is 404 with its code': async (exam) => {
      const refused = await statusOf(await ask(exam, `/v2/${exam.name}/nowhere/tags/list`), 404)
      assert.equal(await errorCode(refused), 'NAME_UNKNOWN')
    },
  }),
  ...section('Listing referrers', {
    'nothing refers to what nobody pushed': async (exam) => {
      const { list } = await referrersOf(exam, digestOf(blob()))
      assert.deepEqual([list.mediaType, list.manifests], [TYPES.index, []])
    },
    'a digest that is none is 400': async (exam) =>
      void (await statusOf(await ask(exam, `/v2/${exam.name}/referrers/sha256:none`), 400)),
    'a manifest with a subject is answered with it': async (exam) => {
      const subject = await pushImage(exam, 'subject')
      const { response } = await referrer(exam, subject)
      assert.equal(response.headers.get('oci-subject'), subject.digest)
    },
    'what refers is listed with type and annotations': async (exam) => {
      const subject = await pushImage(exam, 'subject')
      const annotations = { 'org.example': 'yes' }
      const one = await referrer(exam, subject, { artifactType: 'application/vnd.example', annotations })
      const { list } = await referrersOf(exam, subject.digest)
      assert.deepEqual(list.manifests, [
        {
          mediaType: TYPES.manifest,
          digest: one.digest,
          size: one.bytes.length,
          artifactType: 'application/vnd.example',
          annotations,
        },
      ])
    },
    'without an artifact type the type of the configuration counts': async (exam) => {
      const subject = await pushImage(exam, 'subject')
      await referrer(exam, subject)
      const { list } = await referrersOf(exam, subject.digest)
      assert.equal(list.manifests[0]?.['artifactType'], TYPES.config)
    },
    'the list is filtered by type, and says so': async (exam) => {
      const subject = await pushImage(exam, 'subject')
      const one = await referrer(exam, subject, { artifactType: 'application/vnd.one' })
      await referrer(exam, subject, { artifactType: 'application/vnd.two' })
      const { list, response } = await referrersOf(exam, subject.digest, '?artifactType=application/vnd.one')
      assert.deepEqual(
        list.manifests.map(({ digest }) => digest),
        [one.digest],
      )
      assert.equal(response.headers.get('oci-filters-applied'), 'artifactType')
    },
    'a subject need not be there yet': async (exam) => {
      const subject = await imageOf(exam)
      const one = await referrer(exam, subject)
      await statusOf(await putManifest(exam, subject, 'later'), 201)
      const { list } = await referrersOf(exam, subject.digest)
      assert.deepEqual(
        list.manifests.map(({ digest }) => digest),
        [one.digest],
      )
    },
    'an index can refer': async (exam) => {
      const subject = await pushImage(exam, 'subject')
      const body = {
        schemaVersion: 2,
        mediaType: TYPES.index,
        manifests: [],
        subject: descriptor(TYPES.manifest, subject.bytes),
        artifactType: 'application/vnd.index',
      }
      const bytes = Buffer.from(JSON.stringify(body))
      await statusOf(await putManifest(exam, { bytes, mediaType: TYPES.index }, digestOf(bytes)), 201)
      const { list } = await referrersOf(exam, subject.digest)
      assert.deepEqual(
        [list.manifests[0]?.['mediaType'], list.manifests[0]?.['artifactType']],
        [TYPES.index, 'application/vnd.index'],
      )
    },
    'what is deleted refers no more': async (exam) => {
      const subject = await pushImage(exam, 'subject')
      const one = await referrer(exam, subject)
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${one.digest}`, { method: 'DELETE' }), 202)
      assert.deepEqual((await referrersOf(exam, subject.digest)).list.manifests, [])
    },
  }),
  ...section('Deleting', {
    'a tag goes, and what it named stays': async (exam) => {
      const { digest } = await pushImage(exam, 'gone')
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/gone`, { method: 'DELETE' }), 202)
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/gone`), 404)
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${digest}`), 200)
    },
    'a manifest goes with its tags': async (exam) => {
      const { digest } = await pushImage(exam, 'gone')
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${digest}`, { method: 'DELETE' }), 202)
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${digest}`), 404)
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/gone`), 404)
    },
    'a manifest that is not there is 404': async (exam) => {
      await pushImage(exam, 'there')
      await statusOf(await ask(exam, `/v2/${exam.name}/manifests/${digestOf(blob())}`, { method: 'DELETE' }), 404)
    },
    'a blob goes': async (exam) => {
      const digest = await pushBlob(exam, blob())
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { method: 'DELETE' }), 202)
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { method: 'HEAD' }), 404)
    },
    'a blob that is not there is 404': async (exam) =>
      void (await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digestOf(blob())}`, { method: 'DELETE' }), 404)),
    'a blob that another repository has stays there': async (exam) => {
      const body = blob()
      const digest = await pushBlob(exam, body)
      await pushBlob(exam, body, exam.other)
      await statusOf(await ask(exam, `/v2/${exam.name}/blobs/${digest}`, { method: 'DELETE' }), 202)
      await statusOf(await ask(exam, `/v2/${exam.other}/blobs/${digest}`, { method: 'HEAD' }), 200)
    },
  }),
  ...section('Catalog', {
    'repositories are listed': async (exam) => {
      await pushImage(exam, 'listed')
      const got = await statusOf(await ask(exam, '/v2/_catalog?n=1000'), 200)
      const { repositories } = (await got.json()) as { repositories: readonly string[] }
      assert.ok(repositories.includes(exam.name))
    },
  }),
]
