import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'

import { readGrant } from '#engine/repositories'
import { digestOf } from '#oci/digest'
import { MEDIA_TYPES } from '#oci/image'

import { push, rig, type Rig } from '../../src/api/registry/test-rig.ts'
import { dice, mutated } from './mutate.ts'

/** Each is a connection of its own. */
const INPUTS = Number(process.env['GLOVEBOX_FUZZ_INPUTS'] ?? 500)
const SEED = Number(process.env['GLOVEBOX_FUZZ_SEED'] ?? 1)
const MAX_ANSWER_MS = 10_000

const config = digestOf('config')
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociManifest,
  config: { mediaType: MEDIA_TYPES.ociConfig, digest: config, size: 6 },
  layers: [{ mediaType: MEDIA_TYPES.ociLayer, digest: config, size: 6, annotations: { a: 'b' } }],
  subject: { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('subject'), size: 7 },
  annotations: { 'org.example': 'x' },
})
const basic = `Authorization: Basic ${Buffer.from('ann:correct horse').toString('base64')}`

/** A head of lines, an empty line, a body. The length is put in by whoever sends it. */
const requests = (upload: string) => [
  'GET /v2/\n\n',
  'GET /token?service=x&scope=repository:team/web:pull,push&scope=registry:catalog:*\n\n',
  'POST /token\nContent-Type: application/x-www-form-urlencoded\n\ngrant_type=password&username=ann&password=correct+horse',
  `GET /v2/_catalog?n=2&last=a\n${basic}\n\n`,
  `GET /v2/team/web/tags/list?n=1\n${basic}\n\n`,
  `GET /v2/team/web/blobs/${config}\n${basic}\nRange: bytes=1-3\n\n`,
  `HEAD /v2/team/web/blobs/${config}\n${basic}\nIf-None-Match: "x"\n\n`,
  `GET /v2/team/web/referrers/${digestOf('subject')}?artifactType=${MEDIA_TYPES.ociConfig}\n${basic}\n\n`,
  `PUT /v2/team/web/manifests/1\n${basic}\nContent-Type: ${MEDIA_TYPES.ociManifest}\n\n${manifest}`,
  `PUT /v2/team/web/manifests/${digestOf(manifest)}?tag=1&tag=2\n${basic}\nContent-Type: ${MEDIA_TYPES.ociManifest}\n\n${manifest}`,
  `DELETE /v2/team/web/manifests/2\n${basic}\n\n`,
  `POST /v2/team/web/blobs/uploads/\n${basic}\n\n`,
  `POST /v2/team/web/blobs/uploads/?digest=${config}\n${basic}\n\nconfig`,
  `POST /v2/team/two/blobs/uploads/?mount=${config}&from=team/web\n${basic}\n\n`,
  `PATCH ${upload}\n${basic}\nContent-Range: 0-2\n\nabc`,
  `PUT ${upload}?digest=${config}\n${basic}\nContent-Range: 3-5\n\nfig`,
  `GET ${upload}\n${basic}\n\n`,
  `DELETE ${upload}\n${basic}\n\n`,
]

const WORDS = [
  ...[
    '/v2/',
    '/blobs/',
    '/uploads/',
    '/manifests/',
    '/tags/list',
    '/referrers/',
    '/_catalog',
    '/token',
    '..',
    '%2f',
    '%2e',
    '%00',
  ],
  ...['%', '?', '&', '=', '//', ' ', '\n', '\t', ':', ',', '"', '*', 'team/web', 'a'.repeat(300), 'PATCH', 'OPTIONS', 'CONNECT'],
  ...[
    'sha256:',
    'sha512:',
    'Range: bytes=',
    'Content-Range: ',
    'Content-Type: ',
    'Authorization: Bearer ',
    'Expect: 100-continue',
  ],
  ...[
    'Transfer-Encoding: chunked',
    'Upgrade: x',
    'Connection: upgrade',
    'Host: ',
    '-1',
    '9007199254740993',
    '"layers"',
    '[]',
    '{}',
  ],
  ...['"manifests"', '"mediaType"', 'null', '__proto__', '"size":', MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerManifest],
]

test(`requests to the registry: ${INPUTS} inputs are answered, none with an error of ours`, async (t) => {
  await using at = await rig()
  await at.accounts.put('ann', 'correct horse', [readGrant('team/**')])
  const headers = { authorization: basic.slice('Authorization: '.length) }
  await push(at, 'team/web', 'config', headers)
  const begun = await at.ask('/v2/team/web/blobs/uploads/', { method: 'POST', headers })
  const seeds = requests(begun.headers.get('location') ?? '').map((text) => Buffer.from(text, 'latin1'))
  const roll = dice(SEED)
  const counts = new Map<string, number>()
  for (let number = 0; number < INPUTS; number += 1) {
    const input = number < seeds.length ? (seeds[number] as Buffer) : mutated(roll, roll.pick(seeds), seeds, WORDS)
    const status = await answerTo(at, input)
    counts.set(status, (counts.get(status) ?? 0) + 1)
    assert.ok(!status.startsWith('5') && at.errors.length === 0, `${status} ${at.errors.join()} for ${input.toString('base64')}`)
  }
  t.diagnostic([...counts].map(([status, count]) => `${status}: ${count}`).join(', '))
  assert.ok((counts.get('201') ?? 0) > 0 && (counts.get('200') ?? 0) > 0, 'what is well formed is done')
  for (const name of at.repositories.list({ limit: 100 }).names)
    for (const { digest } of at.repositories.manifests(name))
      assert.equal(digestOf((await at.repositories.getManifest(name, digest)).bytes), digest)
})

/** The status of the answer; `closed` when there was none. */
async function answerTo({ base }: Rig, input: Buffer): Promise<string> {
  const end = input.indexOf('\n\n')
  const head = (end < 0 ? input : input.subarray(0, end)).toString('latin1').split('\n')
  const body = end < 0 ? Buffer.alloc(0) : input.subarray(end + 2)
  const lines = [
    `${head[0] ?? ''} HTTP/1.1`,
    ...head.slice(1),
    'Host: registry.example',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  const socket = connect(Number(new URL(base).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const late = setTimeout(() => socket.destroy(new Error('late')), MAX_ANSWER_MS)
  // Some inputs promise more than they send.
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]))
  await closed
  clearTimeout(late)
  return /^HTTP\/1\.1 (\d{3})/.exec(Buffer.concat(chunks).toString('latin1'))?.[1] ?? 'closed'
}
