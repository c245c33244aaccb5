import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'

import { readGrant } from '#engine/repositories'
import { digestOf } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

import { basic, codeOf, location, push, rig, type Rig } from './test-rig.ts'

const DAY_MS = 86_400_000

const begin = async ({ ask }: Pick<Rig, 'ask'>, name = 'a') =>
  location(await ask(`/v2/${name}/blobs/uploads/`, { method: 'POST' }))

/** Bytes as they are, over a connection of its own; what came back until it was closed. */
async function raw({ base }: Pick<Rig, 'base'>, head: readonly string[], body: string | Buffer = ''): Promise<string> {
  const socket = connect(Number(new URL(base).port), '127.0.0.1')
  socket.write(`${head.join('\r\n')}\r\nHost: x\r\nConnection: close\r\n\r\n`)
  socket.end(body)
  let answer = ''
  try {
    for await (const chunk of socket) answer += String(chunk)
  } catch {
    // Closed in our face, which is an answer.
  }
  return answer
}

const stored = ({ root }: Rig) => readdirSync(join(root, 'registry/content/blobs/sha256'))
const uploads = ({ root }: Rig) => readdirSync(join(root, 'registry/uploads'))

/** Nothing of it is there, and nothing went wrong that the registry did not foresee. */
function expectNothing(at: Rig): void {
  assert.deepEqual([at.errors, stored(at)], [[], []])
}

test('17: bytes that are not those of the digest are never visible, and their upload is over', async () => {
  await using at = await rig()
  const place = await begin(at)
  await at.ask(place, { method: 'PATCH', body: 'evil' })
  const put = await at.ask(`${place}?digest=${digestOf('good')}`, { method: 'PUT' })
  assert.equal(await codeOf(put), '400 DIGEST_INVALID')
  assert.equal((await at.ask(`/v2/a/blobs/${digestOf('good')}`)).status, 404)
  assert.equal((await at.ask(`/v2/a/blobs/${digestOf('evil')}`)).status, 404)
  const whole = await at.ask(`/v2/a/blobs/uploads/?digest=${digestOf('good')}`, { method: 'POST', body: 'evil' })
  assert.equal(await codeOf(whole), '400 DIGEST_INVALID')
  assert.deepEqual(uploads(at), [])
  expectNothing(at)
})

test('17: a body that is cut short or longer than it says makes no blob', async () => {
  await using at = await rig()
  const place = await begin(at)
  const put = (length: number) => [`PUT ${place}?digest=${digestOf('good')} HTTP/1.1`, `Content-Length: ${length}`]
  assert.doesNotMatch(await raw(at, put(100), 'good'), /^HTTP\/1.1 201/)
  // Whether the bytes before the break were kept is up to when it was seen; nothing else may come to them.
  const kept = /^0-[03]$/
  assert.match((await at.ask(place)).headers.get('range') ?? '', kept)
  assert.equal(
    await codeOf(await at.ask(place, { method: 'PATCH', body: 'x', headers: { 'content-range': '4-9' } })),
    '416 RANGE_INVALID',
  )
  // What follows the four bytes is no request.
  assert.doesNotMatch(await raw(at, [`PATCH ${place} HTTP/1.1`, 'Content-Length: 0'], 'GET /'), /^HTTP\/1.1 20[01]/)
  for (const lengths of [['-1'], ['1e9'], ['4', '5'], ['99999999999999999999']]) {
    const head = [`PATCH ${place} HTTP/1.1`, ...lengths.map((length) => `Content-Length: ${length}`)]
    assert.match(await raw(at, head, 'evil'), /^(?:HTTP\/1.1 4\d\d|$)/, lengths.join())
  }
  assert.match(await raw(at, [`PATCH ${place} HTTP/1.1`, 'Content-Length: 300000000000']), /^HTTP\/1.1 413/)
  assert.match(
    await raw(at, [`PATCH ${place} HTTP/1.1`, 'Content-Length: 4', 'Transfer-Encoding: chunked'], 'evil'),
    /^(?:HTTP\/1.1 4\d\d|$)/,
  )
  assert.match((await at.ask(place)).headers.get('range') ?? '', kept)
  expectNothing(at)
})

const descriptor = (text: string, mediaType: string = MEDIA_TYPES.ociLayer) => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
})
const plain = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: descriptor('config', MEDIA_TYPES.ociConfig),
  layers: [],
}
const put = ({ ask }: Rig, body: string, type: string | undefined = MEDIA_TYPES.ociManifest, reference = '1') =>
  ask(`/v2/a/manifests/${reference}`, { method: 'PUT', body, headers: type === undefined ? {} : { 'content-type': type } })

test('18, 19: what can be read in two ways, or is no manifest, is refused', async () => {
  await using at = await rig()
  await push(at, 'a', 'config')
  const before = stored(at)
  const bodies: readonly (readonly [why: string, body: string, type?: string])[] = [
    ['layers and manifests', JSON.stringify({ ...plain, manifests: [] })],
    [
      'an index with layers',
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [], layers: [] }),
      MEDIA_TYPES.ociIndex,
    ],
    ['announced as an index', JSON.stringify(plain), MEDIA_TYPES.ociIndex],
    ['calls itself an index', JSON.stringify({ ...plain, mediaType: MEDIA_TYPES.ociIndex })],
    ['keys twice', JSON.stringify(plain).replace('"layers":[]', '"layers":[],"layers":[]')],
    ['keys twice in another case', JSON.stringify({ ...plain, Layers: [descriptor('evil')] }).replace('"Layers"', '"layers"')],
    ['no object', '[]'],
    ['a number', '1'],
    ['not UTF-8', '{"schemaVersion":2,"x":"\xff"'],
    ['deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    [
      'deep annotations',
      JSON.stringify(plain).replace('"layers"', `"annotations":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)},"layers"`),
    ],
    [
      'schema 1',
      JSON.stringify({ schemaVersion: 1, name: 'a', fsLayers: [] }),
      'application/vnd.docker.distribution.manifest.v1+json',
    ],
    ['a size below nothing', JSON.stringify({ ...plain, config: { ...plain.config, size: -1 } })],
    ['a size in words', JSON.stringify({ ...plain, config: { ...plain.config, size: '6' } })],
    ['a digest with a path', JSON.stringify({ ...plain, config: { ...plain.config, digest: 'sha256:../../etc/passwd' } })],
    ['a subject that is none', JSON.stringify({ ...plain, subject: { digest: 'x' } })],
  ]
  for (const [why, body, type] of bodies) assert.match(await codeOf(await put(at, body, type)), /^400 MANIFEST_INVALID$/, why)
  assert.equal(
    await codeOf(await put(at, JSON.stringify({ ...plain, config: descriptor('not here') }))),
    '404 MANIFEST_BLOB_UNKNOWN',
  )
  assert.equal(await codeOf(await put(at, ' '.repeat(5_000_000))), '413 MANIFEST_INVALID')
  assert.equal(await codeOf(await at.ask('/v2/a/manifests/1')), '404 MANIFEST_UNKNOWN')
  assert.deepEqual([stored(at), at.errors], [before, []])
})

test('19: an index names what is there, and what it names stays', async () => {
  await using at = await rig()
  await push(at, 'a', 'config')
  const body = JSON.stringify(plain)
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [descriptor(body, MEDIA_TYPES.ociManifest)],
  })
  assert.equal(await codeOf(await put(at, index, MEDIA_TYPES.ociIndex)), '404 MANIFEST_BLOB_UNKNOWN')
  assert.equal((await put(at, body)).status, 201)
  assert.equal((await put(at, index, MEDIA_TYPES.ociIndex)).status, 201)
  assert.equal(await codeOf(await at.ask(`/v2/a/manifests/${digestOf(body)}`, { method: 'DELETE' })), '405 UNSUPPORTED')
  assert.equal(await codeOf(await at.ask(`/v2/a/blobs/${digestOf('config')}`, { method: 'DELETE' })), '405 UNSUPPORTED')
  for (const reference of [digestOf(index), digestOf(body)])
    assert.equal((await at.ask(`/v2/a/manifests/${reference}`, { method: 'DELETE' })).status, 202)
})

test('20: digests have one form, wherever they stand', async () => {
  await using at = await rig()
  const good = await push(at, 'a', 'good')
  const hex = good.slice('sha256:'.length)
  const digests = [
    'sha256:..%2f..%2fx',
    `sha256:${hex.toUpperCase()}`,
    `SHA256:${hex}`,
    `sha256:${hex}0`,
    `sha256:${hex.slice(1)}`,
    `sha256:${hex}%00`,
    `sha256:${hex}%0a`,
    `sha512:${hex}`,
    `md5:${hex.slice(0, 32)}`,
    `sha256:${encodeURIComponent('é'.repeat(64))}`,
    `${good}:${good}`,
    ':',
  ]
  for (const digest of digests) {
    assert.equal((await at.ask(`/v2/a/blobs/${digest}`)).status, 400, digest)
    assert.equal((await at.ask(`/v2/a/blobs/${digest}`, { method: 'DELETE' })).status, 400, digest)
    assert.equal((await at.ask(`/v2/a/manifests/${digest}`)).status, 400, digest)
    assert.equal((await at.ask(`/v2/a/referrers/${digest}`)).status, 400, digest)
    assert.equal((await at.ask(`/v2/a/blobs/uploads/?mount=${digest}&from=a`, { method: 'POST' })).status, 400, digest)
    const finished = await at.ask(`${await begin(at)}?digest=${digest}`, { method: 'PUT', body: 'good' })
    assert.equal(await codeOf(finished), '400 DIGEST_INVALID', digest)
  }
  assert.deepEqual([stored(at), at.errors], [[hex], []])
})

test('21: names and tags have one form, whatever the address is written like', async () => {
  await using at = await rig()
  await push(at, 'a', 'config')
  const names = [
    '..',
    'a/../b',
    'a%2f..%2fb',
    'a%2fb',
    'A',
    'a//b',
    'a/',
    '-a',
    'a..b',
    'a%00',
    'a%20b',
    'é',
    'a'.repeat(10_000),
    '%2e%2e/%2e%2e/etc',
  ]
  for (const name of names) {
    const begun = await raw(at, [`POST /v2/${encodeURI(decodeURI(name))}/blobs/uploads/ HTTP/1.1`, 'Content-Length: 0'])
    assert.match(begun, /^HTTP\/1.1 4\d\d/, name)
    const mounted = await at.ask(`/v2/b/blobs/uploads/?mount=${digestOf('config')}&from=${name}`, { method: 'POST' })
    assert.ok([202, 400].includes(mounted.status), name)
  }
  for (const tag of ['a%2fb', '..', '.a', '-a', 'a'.repeat(129), 'a%20b', '%00', 'é'])
    assert.match(await codeOf(await put(at, JSON.stringify(plain), MEDIA_TYPES.ociManifest, tag)), /^4\d\d/, tag)
  for (const tags of ['tag=.a', 'tag=1&tag=a/b'])
    assert.equal(
      await codeOf(await put(at, JSON.stringify(plain), MEDIA_TYPES.ociManifest, `${digestOf(JSON.stringify(plain))}?${tags}`)),
      '400 MANIFEST_INVALID',
    )
  assert.deepEqual(await (await at.ask('/v2/_catalog')).json(), { repositories: ['a'] })
  assert.deepEqual([stored(at).length, at.errors], [1, []])
})

test('23: what a client writes into a header does not come back as one, and no realm of his is named', async () => {
  await using at = await rig()
  await at.accounts.put('ann', 'correct horse', [readGrant('team/**')])
  for (const host of ['evil"', 'a b', 'a,realm="x"', 'x'.repeat(300)]) {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(at.base).port), '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => (text += String(chunk)))
      socket.once('close', () => resolve(text))
      socket.once('error', () => resolve(text))
      socket.end(`GET /v2/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    })
    assert.match(answer, /realm="http:\/\/localhost\/token",service="localhost"|^HTTP\/1.1 400/, host)
  }
  const routed = await at.ask('/v2/', { headers: { 'x-forwarded-proto': 'https' } })
  assert.match(routed.headers.get('www-authenticate') ?? '', /^Bearer realm="https:\/\//)
})

test('24: holes, overlaps and a chunk that comes twice are refused with what the upload has', async () => {
  await using at = await rig()
  const place = await begin(at)
  const chunk = (range: string, body: string) => at.ask(place, { method: 'PATCH', body, headers: { 'content-range': range } })
  assert.equal(await codeOf(await chunk('1-3', 'abc')), '416 BLOB_UPLOAD_INVALID')
  assert.equal((await chunk('0-3', 'abcd')).status, 202)
  for (const [range, body] of [
    ['0-3', 'abcd'],
    ['2-5', 'cdef'],
    ['5-6', 'fg'],
    ['3-3', 'd'],
  ] as const)
    assert.equal(await codeOf(await chunk(range, body)), '416 BLOB_UPLOAD_INVALID', range)
  for (const range of ['4-', '-4', '4-3', 'x', 'bytes=4-5', '4-9999999999999999'])
    assert.equal(await codeOf(await chunk(range, 'ef')), '416 RANGE_INVALID', range)
  assert.equal(
    (await at.ask(`${place}?digest=${digestOf('abcdef')}`, { method: 'PUT', body: 'ef', headers: { 'content-range': '4-5' } }))
      .status,
    201,
  )
  assert.deepEqual(at.errors, [])
})

test('24: of two that write to one upload at once, one is refused', async () => {
  await using at = await rig()
  const place = await begin(at)
  const slow = connect(Number(new URL(at.base).port), '127.0.0.1')
  slow.on('error', () => undefined)
  slow.write(`PATCH ${place} HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nslow`)
  const other = async () => await at.ask(place, { method: 'PATCH', body: 'x' })
  let answer = await other()
  for (let tries = 0; answer.status === 202 && tries < 50; tries += 1) answer = await other()
  assert.equal(await codeOf(answer), '416 BLOB_UPLOAD_INVALID')
  assert.equal(await codeOf(await at.ask(`${place}?digest=${digestOf('x')}`, { method: 'PUT' })), '416 BLOB_UPLOAD_INVALID')
  assert.equal(await codeOf(await at.ask(place, { method: 'DELETE' })), '416 BLOB_UPLOAD_INVALID')
  slow.destroy()
})

test('24: an upload belongs to its repository, its id cannot be guessed, and after a day without a byte it is gone', async () => {
  await using at = await rig()
  await at.accounts.put('ann', 'correct horse', [readGrant('a')])
  await at.accounts.put('eve', 'battery staple', [readGrant('b')])
  const [ann, eve] = [basic('ann', 'correct horse'), basic('eve', 'battery staple')]
  const place = location(await at.ask('/v2/a/blobs/uploads/', { method: 'POST', headers: ann }))
  for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
    assert.equal((await at.ask(`${place}?digest=${digestOf('x')}`, { method, headers: eve })).status, 403, method)
    const moved = `${place.replace('/v2/a/', '/v2/b/')}?digest=${digestOf('x')}`
    assert.equal(await codeOf(await at.ask(moved, { method, headers: eve })), '404 BLOB_UPLOAD_UNKNOWN', method)
  }
  for (const id of ['..', '%2e%2e', 'x', '0'.repeat(32), `${place.slice(-32)}%00`, '../../state.db'])
    assert.ok((await at.ask(`/v2/a/blobs/uploads/${id}`, { method: 'PATCH', body: 'x', headers: ann })).status >= 400, id)
  await at.clock.advance(DAY_MS + 1)
  assert.equal((await at.repositories.collect({ rules: [] })).removed.length, 1)
  assert.equal(await codeOf(await at.ask(place, { headers: ann })), '404 BLOB_UPLOAD_UNKNOWN')
  assert.deepEqual(uploads(at), [])
})

test('a refusal arrives although the client is still sending', async () => {
  await using at = await rig()
  const body = Buffer.alloc(20_000_000)
  const place = await begin(at)
  const answer = await at.ask(place, { method: 'PATCH', body, headers: { 'content-range': '5-20000004' } })
  assert.equal(await codeOf(answer), '416 BLOB_UPLOAD_INVALID')
  const manifest = await at.ask('/v2/a/manifests/1', { method: 'PUT', body })
  assert.equal(await codeOf(manifest), '413 MANIFEST_INVALID')
})

test('many who guess passwords do not keep others from the disk', async () => {
  await using at = await rig()
  await at.accounts.put('ann', 'correct horse', [readGrant('**')])
  await at.ask('/v2/', { headers: basic('ann', 'correct horse') })
  const guesses = Array.from(
    { length: 100 },
    async (_, number) => (await at.ask('/v2/', { headers: basic('ann', `guess ${number}`) })).status,
  )
  const started = performance.now()
  await push(at, 'a', 'config', basic('ann', 'correct horse'))
  const tookMs = performance.now() - started
  const statuses = new Set(await Promise.all(guesses))
  assert.ok(
    [...statuses].every((status) => status === 401 || status === 429),
    [...statuses].join(),
  )
  assert.ok(tookMs < (performance.now() - started) / 2, `${tookMs} ms`)
})
