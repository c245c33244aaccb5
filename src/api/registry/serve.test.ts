import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readGrant } from '#engine/repositories'
import { digestOf } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

import { basic, codeOf, location, push, rig, type Rig } from './test-rig.ts'

const manifest = (text: string) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(text), size: text.length },
    layers: [],
  })

const putManifest = ({ ask }: Pick<Rig, 'ask'>, path: string, body: string, type: string = MEDIA_TYPES.ociManifest) =>
  ask(path, { method: 'PUT', body, headers: { 'content-type': type } })

test('a blob is pushed in chunks that must follow each other', async () => {
  await using at = await rig()
  const begun = await at.ask('/v2/a/blobs/uploads/', { method: 'POST' })
  assert.deepEqual([begun.status, begun.headers.get('range')], [202, '0-0'])
  const chunk = (range: string, body: string) =>
    at.ask(location(begun), { method: 'PATCH', body, headers: { 'content-range': range } })
  assert.equal((await chunk('0-2', 'one')).headers.get('range'), '0-2')
  assert.equal(await codeOf(await chunk('4-6', 'two')), '416 BLOB_UPLOAD_INVALID')
  assert.equal((await at.ask(location(begun))).headers.get('range'), '0-2')
  assert.equal(await codeOf(await chunk('3-9', 'two')), '416 RANGE_INVALID')
  assert.equal((await chunk('3-5', 'two')).status, 202)
  const done = await at.ask(`${location(begun)}?digest=${digestOf('onetwothree')}`, { method: 'PUT', body: 'three' })
  assert.deepEqual([done.status, location(done)], [201, `/v2/a/blobs/${digestOf('onetwothree')}`])
  assert.equal(await (await at.ask(location(done))).text(), 'onetwothree')
  assert.equal(await codeOf(await at.ask(location(begun))), '404 BLOB_UPLOAD_UNKNOWN')
})

test('a blob is read whole, in part, and not at all when the client has it', async () => {
  await using at = await rig()
  const digest = await push(at, 'a', '0123456789')
  const read = async (headers: Record<string, string>) => {
    const response = await at.ask(`/v2/a/blobs/${digest}`, { headers })
    return [response.status, response.headers.get('content-range'), response.status === 416 ? '' : await response.text()]
  }
  assert.deepEqual(await read({}), [200, null, '0123456789'])
  assert.deepEqual(await read({ range: 'bytes=2-4' }), [206, 'bytes 2-4/10', '234'])
  assert.deepEqual(await read({ range: 'bytes=8-99' }), [206, 'bytes 8-9/10', '89'])
  assert.deepEqual(await read({ range: 'bytes=-3' }), [206, 'bytes 7-9/10', '789'])
  assert.deepEqual(await read({ range: 'bytes=10-' }), [416, null, ''])
  assert.deepEqual(await read({ range: 'lines=1-2' }), [200, null, '0123456789'])
  assert.deepEqual(await read({ 'if-none-match': `"${digest}"` }), [304, null, ''])
  const head = await at.ask(`/v2/a/blobs/${digest}`, { method: 'HEAD' })
  assert.deepEqual([head.headers.get('content-length'), head.headers.get('accept-ranges')], ['10', 'bytes'])
})

test('manifests come back as they went, under each tag', async () => {
  await using at = await rig()
  await push(at, 'a', 'config')
  const body = manifest('config')
  const put = await putManifest(at, `/v2/a/manifests/${digestOf(body)}?tag=1&tag=2`, body)
  assert.deepEqual(
    [put.status, put.headers.get('oci-tag'), put.headers.get('docker-content-digest')],
    [201, '1, 2', digestOf(body)],
  )
  const got = await at.ask('/v2/a/manifests/2')
  assert.deepEqual([got.headers.get('content-type'), await got.text()], [MEDIA_TYPES.ociManifest, body])
  assert.equal((await at.ask('/v2/a/manifests/1', { method: 'DELETE' })).status, 202)
  assert.deepEqual(await (await at.ask('/v2/a/tags/list')).json(), { name: 'a', tags: ['2'] })
})

test('manifests that are not what they say are refused with the code of the specification', async () => {
  await using at = await rig()
  const refused = async (body: string, type?: string, reference = '1') =>
    codeOf(await putManifest(at, `/v2/a/manifests/${reference}`, body, type))
  assert.equal(await refused(manifest('config')), '404 MANIFEST_BLOB_UNKNOWN')
  assert.equal(await refused('{'), '400 MANIFEST_INVALID')
  assert.equal(await refused(manifest('config'), MEDIA_TYPES.ociIndex), '400 MANIFEST_INVALID')
  assert.equal(await refused(manifest('config'), undefined, digestOf('other')), '400 DIGEST_INVALID')
  assert.equal(await refused(' '.repeat(4 * 1024 * 1024 + 1)), '413 MANIFEST_INVALID')
  assert.equal(await codeOf(await at.ask('/v2/a/manifests/1')), '404 MANIFEST_UNKNOWN')
  assert.equal(await codeOf(await at.ask('/v2/A/manifests/1')), '400 NAME_INVALID')
  assert.equal(await codeOf(await at.ask('/v2/a%2f..%2fb/blobs/sha256:x')), '400 DIGEST_INVALID')
  assert.equal(await codeOf(await at.ask('/v2/a/tags/list')), '404 NAME_UNKNOWN')
})

test('lists are paged', async () => {
  await using at = await rig()
  await push(at, 'a', 'config')
  for (const tag of ['c', 'a', 'b']) await putManifest(at, `/v2/a/manifests/${tag}`, manifest('config'))
  const first = await at.ask('/v2/a/tags/list?n=2')
  assert.deepEqual(await first.json(), { name: 'a', tags: ['a', 'b'] })
  const [, next = ''] = /^<(.*)>; rel="next"$/.exec(first.headers.get('link') ?? '') ?? []
  const second = await at.ask(next)
  assert.deepEqual([await second.json(), second.headers.get('link')], [{ name: 'a', tags: ['c'] }, null])
  assert.deepEqual(await (await at.ask('/v2/a/tags/list?n=0')).json(), { name: 'a', tags: [] })
  assert.equal((await at.ask('/v2/a/tags/list?n=x')).status, 400)
})

async function tokenFor({ ask }: Rig, scope: string, headers: Record<string, string> = {}): Promise<Record<string, string>> {
  const response = await ask(`/token?service=x&scope=${encodeURIComponent(scope)}`, { headers })
  return { authorization: `Bearer ${((await response.json()) as { token: string }).token}` }
}

test('a client without credentials learns where to get a token and for what', async () => {
  await using at = await rig()
  await at.accounts.put('ann', 'correct horse', [readGrant('team/**')])
  const asked = await at.ask('/v2/team/web/manifests/1')
  assert.equal(asked.status, 401)
  const host = at.base.slice('http://'.length)
  assert.equal(
    asked.headers.get('www-authenticate'),
    `Bearer realm="${at.base}/token",service="${host}",scope="repository:team/web:pull"`,
  )
  assert.equal((await at.ask('/v2/')).status, 401)
  assert.equal((await at.ask('/v2/', { headers: basic('ann', 'correct horse') })).status, 200)
  assert.equal(await codeOf(await at.ask('/v2/', { headers: basic('ann', 'wrong') })), '401 UNAUTHORIZED')
  assert.equal((await at.ask('/token', { headers: basic('ann', 'wrong') })).status, 401)
})

test('a token is good for what was asked and allowed, and for nothing else', async () => {
  await using at = await rig()
  await at.accounts.put('ann', 'correct horse', [readGrant('team/**:pull,push'), readGrant('other:pull')])
  const ann = basic('ann', 'correct horse')
  const push1 = await tokenFor(at, 'repository:team/web:pull,push', ann)
  await push(at, 'team/web', 'config', push1)
  const other = await at.ask('/v2/team/db/blobs/uploads/', { method: 'POST', headers: push1 })
  assert.equal(await codeOf(other), '403 DENIED')
  const greedy = await tokenFor(at, 'repository:other:pull,push,delete', ann)
  assert.equal(await codeOf(await at.ask('/v2/other/blobs/uploads/', { method: 'POST', headers: greedy })), '403 DENIED')
  const deletion = await at.ask(`/v2/team/web/blobs/${digestOf('config')}`, { method: 'DELETE', headers: ann })
  assert.equal(await codeOf(deletion), '403 DENIED')
  await at.clock.advance(301_000)
  assert.equal(await codeOf(await at.ask('/v2/team/web/tags/list', { headers: push1 })), '401 UNAUTHORIZED')
})

test('what one cannot read cannot be mounted, nor told from what is not there', async () => {
  await using at = await rig()
  const secret = await push(at, 'secret', 'secret layer')
  await at.accounts.put('ann', 'correct horse', [readGrant('mine')])
  const headers = basic('ann', 'correct horse')
  for (const query of [`mount=${secret}&from=secret`, `mount=${secret}`, `mount=${digestOf('no such')}&from=secret`]) {
    const answer = await at.ask(`/v2/mine/blobs/uploads/?${query}`, { method: 'POST', headers })
    assert.equal(answer.status, 202, query)
  }
  assert.deepEqual(await (await at.ask('/v2/_catalog', { headers })).json(), { repositories: [] })
})

test('an upload of one repository cannot be continued through another', async () => {
  await using at = await rig()
  const begun = await at.ask('/v2/a/blobs/uploads/', { method: 'POST' })
  const elsewhere = location(begun).replace('/v2/a/', '/v2/b/')
  assert.equal(await codeOf(await at.ask(elsewhere, { method: 'PATCH', body: 'x' })), '404 BLOB_UPLOAD_UNKNOWN')
})
