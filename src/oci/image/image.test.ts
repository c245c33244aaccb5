import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { digestOf } from '#oci/digest'

import {
  choosePlatform,
  MEDIA_TYPES,
  parseImageConfig,
  parseManifest,
  parsePlatform,
  platform,
  readProcessConfig,
  writeImageConfig,
  writeManifest,
  type ImageConfig,
} from './index.ts'

const digest = digestOf('x')
const layer = { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size: 7 }
const config = { mediaType: MEDIA_TYPES.ociConfig, digest, size: 2 }
const json = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

test('a manifest keeps its exact bytes and its digest', () => {
  const bytes = json(
    `{ "schemaVersion": 2, "config": ${JSON.stringify(config)},\n "layers": [${JSON.stringify(layer)}], "x-unknown": 1 }`,
  )
  const parsed = parseManifest(bytes, MEDIA_TYPES.ociManifest, 'manifest')
  assert.equal(parsed.kind, 'manifest')
  assert.equal(parsed.digest, digestOf(bytes))
  assert.equal(parsed.bytes, bytes)
})

test('what we write reads back', () => {
  const parsed = parseManifest(writeManifest(config, [layer]), null, 'manifest')
  assert.ok(parsed.kind === 'manifest' && parsed.layers[0]?.digest.text === digest && parsed.config.sizeBytes === 2)
})

test('hostile manifests are refused with their own codes', () => {
  const good = { schemaVersion: 2, config, layers: [layer] }
  const cases: readonly (readonly [string, Buffer, string | null, string])[] = [
    ['both manifest and index', json({ ...good, manifests: [] }), null, 'manifest.ambiguous'],
    [
      'type differs from the header',
      json({ ...good, mediaType: MEDIA_TYPES.ociIndex }),
      MEDIA_TYPES.ociManifest,
      'manifest.ambiguous',
    ],
    ['shape differs from the header', json(good), MEDIA_TYPES.ociIndex, 'manifest.ambiguous'],
    ['index announced as manifest', json({ schemaVersion: 2, manifests: [] }), MEDIA_TYPES.dockerManifest, 'manifest.ambiguous'],
    ['keys that differ in case', json({ ...good, Layers: [] }), null, 'manifest.ambiguous'],
    ['a key twice', json(`{"schemaVersion":2,"layers":[],"layers":[],"config":{}}`), null, 'json.invalid'],
    ['a key twice by an escape', json(`{"schemaVersion":2,"layers":[],"l\\u0061yers":[]}`), null, 'json.invalid'],
    ['no JSON', json('{"schemaVersion":2,'), null, 'json.invalid'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), null, 'json.invalid'],
    ['deep nesting', json('['.repeat(100_000) + ']'.repeat(100_000)), null, 'json.invalid'],
    ['first schema', json({ schemaVersion: 1, fsLayers: [] }), null, 'manifest.unsupported'],
    ['unknown type', json({ ...good, mediaType: 'text/html' }), null, 'manifest.unsupported'],
    ['too large', Buffer.alloc(4 * 1024 * 1024 + 1, 0x20), null, 'manifest.too_large'],
    ['traversal as digest', json({ ...good, layers: [{ ...layer, digest: 'sha256:../../x' }] }), null, 'digest.invalid'],
    ['negative size', json({ ...good, layers: [{ ...layer, size: -1 }] }), null, 'manifest.invalid'],
    ['size as text', json({ ...good, layers: [{ ...layer, size: '7' }] }), null, 'manifest.invalid'],
    ['too many layers', json({ ...good, layers: Array.from({ length: 501 }, () => layer) }), null, 'manifest.invalid'],
    ['no config', json({ schemaVersion: 2, layers: [] }), null, 'manifest.invalid'],
    ['a list', json([]), null, 'manifest.invalid'],
    ['annotations that are no texts', json({ ...good, annotations: { a: 1 } }), null, 'manifest.invalid'],
  ]
  for (const [title, bytes, type, code] of cases) assert.throws(() => parseManifest(bytes, type, 'manifest'), { code }, title)
})

test('hostile configurations are refused', () => {
  const good = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } }
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['no root file system', { ...good, rootfs: undefined }, 'image_config.invalid'],
    ['another kind of root file system', { ...good, rootfs: { type: 'base' } }, 'image_config.invalid'],
    ['upper-case digest', { ...good, rootfs: { type: 'layers', diff_ids: [digest.toUpperCase()] } }, 'digest.invalid'],
    ['a command that is text', { ...good, config: { Cmd: 'sh' } }, 'image_config.invalid'],
    ['NUL in the environment', { ...good, config: { Env: ['A=b\0c'] } }, 'image_config.invalid'],
    ['a time that is none', { ...good, created: 'yesterday' }, 'image_config.invalid'],
    ['an architecture that is a path', { ...good, architecture: '../x' }, 'image_config.invalid'],
    ['negative interval', { ...good, config: { Healthcheck: { Test: ['CMD', 'x'], Interval: -1 } } }, 'image_config.invalid'],
    ['history that is no list', { ...good, history: {} }, 'image_config.invalid'],
  ]
  for (const [title, value, code] of cases) assert.throws(() => parseImageConfig(json(value), 'config'), { code }, title)
})

test('the fields of Docker become ours and durations are in nanoseconds', () => {
  const read = readProcessConfig(
    {
      User: 'app',
      ExposedPorts: { '80/tcp': {}, '443/tcp': {} },
      Volumes: { '/data': {} },
      Cmd: null,
      Labels: null,
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 30_000_000_000, Retries: 3 },
    },
    'config',
  )
  assert.deepEqual(read.exposedPorts, ['443/tcp', '80/tcp'])
  assert.equal(read.healthcheck?.intervalMs, 30_000)
  assert.equal(read.healthcheck?.retries, 3)
  assert.equal(read.cmd, null)
})

const line = fc.string({ maxLength: 12 }).filter((text) => !text.includes('\0'))
const lines = fc.array(line, { maxLength: 4 })
const milliseconds = fc.integer({ min: 0, max: 1_000_000 })
const image: fc.Arbitrary<ImageConfig> = fc.record(
  {
    architecture: fc.constantFrom('amd64', 'arm64'),
    os: fc.constant('linux'),
    variant: fc.constantFrom('', 'v8'),
    created: fc.constantFrom('2024-02-29T12:00:00.123456789Z', '0001-01-01T00:00:00Z'),
    author: line,
    comment: line,
    config: fc.record(
      {
        user: line,
        exposedPorts: fc.uniqueArray(line, { maxLength: 3 }).map((all) => all.toSorted()),
        env: lines,
        entrypoint: fc.option(lines),
        cmd: fc.option(lines),
        volumes: fc.uniqueArray(line, { maxLength: 3 }).map((all) => all.toSorted()),
        workingDir: line,
        labels: fc.dictionary(line, line, { noNullPrototype: true }),
        stopSignal: line,
        shell: fc.option(lines),
        onBuild: lines,
        healthcheck: fc.option(
          fc.record(
            {
              test: fc.array(line, { minLength: 1, maxLength: 3 }),
              intervalMs: milliseconds,
              timeoutMs: milliseconds,
              startPeriodMs: milliseconds,
              startIntervalMs: milliseconds,
              retries: fc.nat(10),
            },
            { noNullPrototype: true },
          ),
        ),
      },
      { noNullPrototype: true },
    ),
    diffIds: fc.array(
      fc.string().map((text) => digestOf(text)),
      { maxLength: 3 },
    ),
    history: fc.array(
      fc.record(
        {
          created: fc.constant('2024-01-01T00:00:00Z'),
          createdBy: line,
          author: line,
          comment: line,
          isEmptyLayer: fc.boolean(),
        },
        { noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
  },
  { noNullPrototype: true },
)

test('every configuration reads back from what is written, and is written the same again', () => {
  fc.assert(
    fc.property(image, (made) => {
      const bytes = writeImageConfig(made)
      const read = parseImageConfig(bytes, 'config')
      assert.deepEqual(read, made)
      assert.deepEqual(writeImageConfig(read), bytes)
    }),
  )
})

test('no bytes make the parsers fail without a code', () => {
  const codes = /^(manifest|image_config|json|digest)\./
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      for (const parse of [() => parseManifest(json(text), null, 'm'), () => parseImageConfig(json(text), 'c')])
        try {
          parse()
        } catch (error) {
          assert.match((error as { code?: string }).code ?? String(error), codes)
        }
    }),
  )
})

test('platforms are chosen exactly where possible and never from another architecture', () => {
  const offers = ['linux/amd64', 'linux/arm/v6', 'linux/arm/v7', 'linux/arm64'].map(parsePlatform)
  const choose = (text: string) => choosePlatform(parsePlatform(text), offers, (offer) => offer)
  assert.deepEqual(choose('linux/arm/v7'), platform('linux', 'arm', 'v7'))
  assert.deepEqual(choose('arm'), platform('linux', 'arm', 'v7'))
  assert.deepEqual(choose('linux/arm/v5'), undefined)
  assert.deepEqual(choose('x86_64'), platform('linux', 'amd64', ''))
  assert.deepEqual(choose('linux/arm64/v8'), platform('linux', 'arm64', ''))
  assert.deepEqual(choose('linux/riscv64'), undefined)
  assert.throws(() => parsePlatform('a/b/c/d'), { code: 'platform.invalid' })
})
