import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { GloveboxError } from '#base'

import { eventTest } from './event-filter.ts'
import { pruneTest, readFilters, readPattern } from './filters.ts'
import { filterImages } from './image-filter.ts'
import { filterContainers } from './list-filter.ts'
import { containerRecord, ENDPOINT, imageRecord, specOf } from './testing/records.ts'
import { readTimestampNs } from './timestamps.ts'
import { humanDuration } from './translate/times.ts'

test('both forms of filters say the same', () => {
  for (const text of [
    '{"label":["a=b"],"status":["exited"]}',
    '{"label":{"a=b":true},"status":{"exited":true,"created":false}}',
  ]) {
    const filters = readFilters(text, ['label', 'status'])
    assert.deepEqual([filters.values('label'), filters.values('status')], [['a=b'], ['exited']])
  }
  assert.throws(() => readFilters('{"odd":["x"]}', ['label']), /invalid filter 'odd'/)
})

test('labels are joined by and, a label with ! must not be there', () => {
  const matches = (filters: object, labels: Record<string, string>) =>
    readFilters(JSON.stringify(filters), ['label', 'label!']).matchesLabels(labels)
  assert.ok(matches({ label: ['a', 'b=1'] }, { a: '', b: '1' }))
  assert.ok(!matches({ label: ['a', 'b=1'] }, { a: '', b: '2' }))
  assert.ok(!matches({ 'label!': ['a'] }, { a: '' }))
  assert.ok(!matches({ label: ['toString'] }, {}))
})

test('patterns that could run for ever are refused', () => {
  assert.ok(readPattern('name', '^/?(web|db)$').test('web'))
  for (const text of ['(a+)+$', '(a|a)*b', '(.*){9}', '(a)\\1', '(', 'x'.repeat(300)])
    assert.throws(() => readPattern('name', text), /invalid filter/, text)
})

const RECORDS = [
  containerRecord({
    id: '3'.repeat(64),
    name: 'web',
    status: {
      state: 'running',
      endpoints: { front: ENDPOINT },
      ports: [{ hostIp: '', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    },
    mounts: [{ type: 'volume', name: 'v', source: '/v', target: '/data', driver: 'local', isReadOnly: false, propagation: '' }],
  }),
  containerRecord({
    id: '2'.repeat(64),
    name: 'db',
    status: { state: 'exited', exitCode: 3 },
    spec: specOf({ Labels: { a: 'b' } }),
  }),
  containerRecord({ id: '1'.repeat(64), name: 'web2', status: { state: 'created' } }),
]

test('the list of containers obeys each filter', () => {
  const list = (filters: object, more: { all?: boolean; limit?: number } = {}) =>
    filterContainers(
      RECORDS,
      { filters: JSON.stringify(filters), all: more.all ?? true, limit: more.limit ?? 0 },
      {
        findImage: (ref) => (ref === 'box:1' || ref.startsWith('sha256:') ? imageRecord() : undefined),
        containerOf: (ref) => RECORDS.find(({ name }) => name === ref) ?? RECORDS[0]!,
      },
    ).map(({ name }) => name)
  assert.deepEqual(list({}, { all: false }), ['web'])
  assert.deepEqual(list({}, { all: false, limit: 2 }), ['web', 'db'])
  assert.deepEqual(list({ status: ['exited'] }, { all: false }), ['db'])
  assert.deepEqual(list({ name: ['web'] }), ['web', 'web2'])
  assert.deepEqual(list({ name: ['^/web$'] }), ['web'])
  assert.deepEqual(list({ id: ['^2'] }), ['db'])
  assert.deepEqual(list({ label: ['a=b'] }), ['db'])
  assert.deepEqual(list({ exited: ['3'] }), ['db'])
  assert.deepEqual(list({ ancestor: ['box:1'] }), ['web', 'db', 'web2'])
  assert.deepEqual(list({ ancestor: ['other'] }), [])
  assert.deepEqual(list({ before: ['db'] }), ['web2'])
  assert.deepEqual(list({ since: ['db'] }), ['web'])
  assert.deepEqual(list({ volume: ['v'] }), ['web'])
  assert.deepEqual(list({ volume: ['/data'] }), ['web'])
  assert.deepEqual(list({ network: [ENDPOINT.networkId] }), ['web'])
  assert.deepEqual(list({ publish: ['8000-8100'] }), ['web'])
  assert.deepEqual(list({ expose: ['80/tcp'] }), ['web', 'db', 'web2'])
  assert.deepEqual(list({ health: ['none'] }), ['web', 'db', 'web2'])
  assert.deepEqual(list({ 'is-task': ['true'] }), [])
  assert.throws(() => list({ status: ['odd'] }), /invalid filter 'status=odd'/)
  assert.throws(() => list({ exited: ['x'] }), /invalid filter 'exited=x'/)
})

test('the list of images obeys each filter', () => {
  const images = [imageRecord({ tags: ['reg.io/a/web:1', 'web:2'] }), imageRecord({ tags: [], created: '2020-01-01T00:00:00Z' })]
  const list = (filters: object) =>
    filterImages(images, JSON.stringify(filters), { nowNs: 2n * 10n ** 18n, imageOf: () => images[1]! }).map(({ tags }) => tags)
  assert.deepEqual(list({ reference: ['web'] }), [['web:2']])
  assert.deepEqual(list({ reference: ['*:2'] }), [['web:2']])
  assert.deepEqual(list({ reference: ['reg.io/*/web'] }), [['reg.io/a/web:1']])
  assert.deepEqual(list({ dangling: ['true'] }), [[]])
  assert.deepEqual(list({ since: ['x'] }), [['reg.io/a/web:1', 'web:2']])
  assert.deepEqual(list({ until: ['2021-01-01'] }), [[]])
  assert.deepEqual(list({ label: ['maker=us'] }).length, 2)
})

test('events are chosen by type, action, actor, image and label', () => {
  const event = {
    type: 'container',
    action: 'exec_create: sh',
    actorId: 'c1d2',
    attributes: { name: 'web', image: 'box:1', a: 'b' },
    timeNs: 1n,
  } as const
  const fits = (filters: object) => eventTest(JSON.stringify(filters))(event)
  for (const filters of [
    {},
    { event: ['exec_create'] },
    { container: ['web'] },
    { container: ['c1'] },
    { image: ['box'] },
    { label: ['a=b'] },
  ])
    assert.ok(fits(filters), JSON.stringify(filters))
  for (const filters of [{ type: ['image'] }, { event: ['exec'] }, { volume: ['web'] }, { image: ['bo'] }, { scope: ['swarm'] }])
    assert.ok(!fits(filters), JSON.stringify(filters))
})

test('times are read as seconds, dates and durations', () => {
  const now = 100_000_000_000n
  assert.equal(readTimestampNs('1.5', 'since', now), 1_500_000_000n)
  assert.equal(readTimestampNs('1700000000.123456789', 'since', now), 1_700_000_000_123_456_789n)
  assert.equal(readTimestampNs('10s', 'since', now), 90_000_000_000n)
  assert.equal(readTimestampNs('1970-01-01T00:00:02Z', 'since', now), 2_000_000_000n)
  assert.equal(readTimestampNs('', 'since', now), null)
  assert.throws(() => readTimestampNs('soon', 'since', now), /is not a time/)
})

test('a prune takes what is older than until', () => {
  const { isWanted } = pruneTest('{"until":["10s"]}', BigInt(Date.parse('2026-01-01T00:01:00Z')) * 1_000_000n)
  assert.ok(isWanted({}, '2026-01-01T00:00:00Z'))
  assert.ok(!isWanted({}, '2026-01-01T00:00:55Z'))
})

test('durations are worded as docker ps words them', () => {
  const words: readonly (readonly [number, string])[] = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [150, '2 minutes'],
    [3600, 'About an hour'],
    [7200, '2 hours'],
    [3 * 86_400, '3 days'],
    [21 * 86_400, '3 weeks'],
    [90 * 86_400, '3 months'],
    [800 * 86_400, '2 years'],
  ]
  for (const [seconds, text] of words) assert.equal(humanDuration(seconds * 1000), text)
})

test('property: filters are read or refused as invalid, whatever they are', () => {
  const text = fc.oneof(fc.string(), fc.json({ maxDepth: 3 }))
  fc.assert(
    fc.property(text, (filters) => {
      for (const read of [
        () => eventTest(filters),
        () =>
          filterContainers(
            RECORDS,
            { filters, all: true, limit: 0 },
            { findImage: () => undefined, containerOf: () => RECORDS[0]! },
          ),
      ])
        try {
          read()
        } catch (error) {
          assert.ok(error instanceof GloveboxError && error.kind === 'invalid', String(error))
        }
    }),
    { numRuns: 500 },
  )
})
