import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { type Digest } from '#base'

import { fakeMachine, streamOf, tarOf, type FakeFiles, type FakeMachine } from '../fake-ports.ts'
import { buildImage, receiveContext, type BuildEvent, type BuildRequest } from '../index.ts'
import { GZIP } from '../outputs/output.ts'
import type { CacheRecord } from '../ports.ts'
import { readCacheRecords, writeCacheRecords } from './cache-document.ts'

const FILES: FakeFiles = {
  Dockerfile: `FROM base AS tools
RUN make tools
FROM base
COPY --from=tools /tool /usr/bin/tool
RUN make all
`,
}

async function machine(): Promise<FakeMachine> {
  const made = fakeMachine((spec) => ({ files: spec.args.at(-1) === 'make tools' ? { tool: 'tool' } : { all: 'all' } }))
  await made.addImage('base', { etc: null })
  return made
}

async function build(at: FakeMachine, options: Omit<Partial<BuildRequest>, 'context'>) {
  const events: BuildEvent[] = []
  await using context = await receiveContext(streamOf(await tarOf(FILES)), at.ports)
  const { imageId } = await buildImage(at.ports, { context, ...options }, (event) => events.push(event))
  const cached = events.flatMap((event) => (event.kind === 'step-done' && event.isCached ? [event.number] : []))
  const warnings = events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []))
  return { imageId, cached, warnings }
}

/** The registries of one machine as another sees them. */
function share(from: FakeMachine, to: FakeMachine): void {
  for (const [name, blobs] of from.exchange.blobs) to.exchange.blobs.set(name, blobs)
  for (const [name, named] of from.exchange.names) to.exchange.names.set(name, named)
}

const TARGET = { kind: 'registry', reference: 'host:5000/cache', form: GZIP } as const
const SOURCE = { kind: 'registry', reference: 'host:5000/cache' } as const

test('another machine takes what this one did: all of it with max, with min what is in the image', async () => {
  for (const [mode, expected] of [
    ['max', [2, 4, 5]],
    ['min', [4, 5]],
  ] as const) {
    using here = await machine()
    using there = await machine()
    const first = await build(here, { cacheTo: [{ ...TARGET, mode }] })
    share(here, there)
    const second = await build(there, { cacheFrom: [SOURCE] })
    assert.deepEqual([second.imageId, second.cached], [first.imageId, expected], mode)
    assert.equal(there.runs.length, mode === 'max' ? 0 : 1)
  }
})

test('a pushed image carries its own cache when asked', async () => {
  using here = await machine()
  using there = await machine()
  const outputs = [{ kind: 'image', push: 'tags', form: GZIP }] as const
  const first = await build(here, { tags: ['host:5000/web:1'], outputs, cacheTo: [{ kind: 'inline' }] })
  share(here, there)
  const second = await build(there, { cacheFrom: [{ kind: 'registry', reference: 'host:5000/web:1' }] })
  assert.deepEqual([second.imageId, second.cached], [first.imageId, [4, 5]])
})

test('a cache that is not there is a warning, and one whose bytes are others is refused', async () => {
  using here = await machine()
  const missing = await build(here, { cacheFrom: [SOURCE] })
  assert.match(missing.warnings.join(), /the cache host:5000\/cache is not used: there is nothing/)
  await build(here, { cacheTo: [{ ...TARGET, mode: 'max' }] })
  const blobs = here.exchange.blobs.get('host:5000/cache')
  assert.ok(blobs !== undefined)
  for (const [digest, bytes] of blobs) {
    using there = await machine()
    share(here, there)
    const changed = Buffer.from(bytes)
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1)
    blobs.set(digest, changed)
    await assert.rejects(build(there, { cacheFrom: [SOURCE] }), { message: /^cache host:5000\/cache/ }, digest)
    assert.ok(![...there.tags.keys()].includes('web'))
    blobs.set(digest, bytes)
  }
})

test('a record that names another layer than the manifest brings nothing in', async () => {
  using here = await machine()
  await build(here, { cacheTo: [{ ...TARGET, mode: 'max' }] })
  using there = await machine()
  share(here, there)
  const key = here.ports.cache.list().find(({ key: one }) => one.startsWith('run-'))?.key ?? ''
  assert.equal(there.ports.cache.get(key), undefined)
  await build(there, { cacheFrom: [SOURCE], isCacheUsed: false })
  assert.equal(there.runs.length, 2, 'without the cache nothing of it is looked at')
})

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const records: fc.Arbitrary<[string, CacheRecord]> = fc.oneof(
  fc
    .record({ key: hex(64), digest: hex(64), sizeBytes: fc.nat(), description: fc.string() })
    .map((one): [string, CacheRecord] => [
      `run-${one.key}`,
      {
        kind: 'layer',
        diffId: `sha256:${one.digest}` as Digest,
        sizeBytes: one.sizeBytes,
        description: one.description,
        created: '2026-01-01T00:00:00.000Z',
        lastUsed: null,
        uses: 0,
      },
    ]),
  fc
    .tuple(hex(64), fc.string())
    .map(([key, digest]): [string, CacheRecord] => [
      `select-${key}`,
      { kind: 'content', digest, created: '2026-01-01T00:00:00.000Z' },
    ]),
)

test('records survive being written and read, and the order that they are given in does not show', () => {
  fc.assert(
    fc.property(fc.uniqueArray(records, { selector: ([key]) => key, maxLength: 10 }), (given) => {
      const written = writeCacheRecords(new Map(given))
      assert.deepEqual(readCacheRecords(written, 'it'), new Map(given.toSorted(([a], [b]) => (a < b ? -1 : 1))))
      assert.deepEqual(writeCacheRecords(new Map(given.toReversed())), written)
    }),
  )
})

test('whatever a cache holds, reading it ends with records or with an error of ours', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      try {
        readCacheRecords(Buffer.from(`{"version":1,"records":[${text}]}`), 'it')
      } catch (error) {
        assert.match((error as { code: string }).code, /^(build\.cache_invalid|json\.)/)
      }
    }),
  )
})
