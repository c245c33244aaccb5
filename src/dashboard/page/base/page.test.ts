import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { LiveMessage } from '#dashboard/wire'

import { bytes, duration, percent, shortImage } from './format.ts'
import { applyMessage, createRecent, emptyState, eventReader } from './live-state.ts'
import { logReader } from './log-lines.ts'
import { readPlace, to } from './place.ts'
import { problemsOf } from './problems.ts'
import { talkGraph } from './talk-graph.ts'

const message = (kind: LiveMessage['kind'], topics: object): LiveMessage => ({ kind, atMs: 1, topics })

test('a snapshot replaces what was known, a delta changes it', () => {
  const state = emptyState()
  applyMessage(state, message('snapshot', { tasks: { a: { id: 'a' }, b: { id: 'b' } } }))
  assert.deepEqual(applyMessage(state, message('delta', { tasks: { a: null, c: { id: 'c' } } })), ['tasks'])
  assert.deepEqual([...state.tasks.keys()], ['b', 'c'])
  applyMessage(state, message('snapshot', { tasks: { d: { id: 'd' } } }))
  assert.deepEqual([...state.tasks.keys()], ['d'])
  assert.deepEqual(applyMessage(state, message('delta', { 'of a later version': { x: 1 } })), [])
})

test('events are read however the stream is cut', () => {
  const messages = [message('snapshot', { host: { self: { load1: 1 } } }), message('delta', { tasks: { 'a\n\nb': null } })]
  const text = `:\n\n${messages.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(':\n\n')}`
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
      const read = eventReader()
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length]
      const found = at.slice(1).flatMap((end, index) => read(text.slice(at[index], end)))
      assert.deepEqual(found, messages)
    }),
  )
})

test('lines of a log are read however its frames are cut, without the movements of a terminal', () => {
  const frame = (stream: number, text: string) => {
    const payload = Buffer.from(text)
    const head = Buffer.alloc(8)
    head[0] = stream
    head.writeUInt32BE(payload.length, 4)
    return Buffer.concat([head, payload])
  }
  const all = Buffer.concat([
    frame(1, '2026-01-02T03:04:05.123456789Z half a '),
    frame(2, '2026-01-02T03:04:06Z \u001b[31mred\u001b[0m über\r\n'),
    frame(1, 'line\nno time\n'),
  ])
  fc.assert(
    fc.property(fc.array(fc.nat(all.length), { maxLength: 8 }), (cuts) => {
      const read = logReader(false)
      const at = [0, ...cuts.toSorted((a, b) => a - b), all.length]
      const lines = at.slice(1).flatMap((end, index) => read(all.subarray(at[index], end)))
      assert.deepEqual(
        lines.map(({ stream, time, text }) => [stream, time, text]),
        [
          ['stderr', '2026-01-02T03:04:06Z', 'red über'],
          ['stdout', '2026-01-02T03:04:05.123456789Z', 'half a line'],
          ['stdout', '', 'no time'],
        ],
      )
    }),
  )
})

test('whatever the parts of a place are called, its address leads there', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 4 }), (parts) => {
      assert.deepEqual(readPlace(to(...parts)).parts, parts)
    }),
  )
  assert.equal(readPlace('#/metrics?of=a%20b').query.get('of'), 'a b')
  assert.deepEqual(readPlace('#/%zz').parts, ['%zz'])
})

test('figures are short', () => {
  assert.deepEqual([0, 1023, 1536, 10_485_760, 3e12].map(bytes), ['0 B', '1023 B', '1.5 KiB', '10 MiB', '2.73 TiB'])
  assert.deepEqual([null, 0, 0.00001, 0.0012, 0.034, 0.5, 1.5].map(percent), [
    '–',
    '0%',
    '<0.01%',
    '0.12%',
    '3.4%',
    '50%',
    '150%',
  ])
  assert.deepEqual([500, 61_000, 7_200_000, 86_400_000 * 3].map(duration), ['1 s', '61 s', '2 h', '3 d'])
  assert.equal(shortImage('docker.io/library/nginx:1.27@sha256:00'), 'nginx:1.27')
})

test('samples of late are kept for what is there, and not for ever', () => {
  const recent = createRecent()
  const sample = (atMs: number) => ({ atMs }) as Parameters<typeof recent.add>[1]
  for (let at = 0; at < 1000; at += 1) recent.add('a', sample(at))
  recent.add('a', sample(999))
  recent.add('b', sample(1))
  assert.equal(recent.of('a').length, 150)
  assert.equal(recent.of('a').at(-1)?.atMs, 999)
  recent.keepOnly(new Map([['b', 1]]))
  assert.deepEqual([recent.of('a').length, recent.of('b').length], [0, 1])
})

test('what is broken comes before what is to be watched, and what is well is not told of', () => {
  const state = emptyState()
  const host = { name: 'h', diskBytes: 100, diskFreeBytes: 8, memoryBytes: 100, memoryAvailableBytes: 50 }
  const container = { id: 'c', name: 'web', state: 'running', health: 'unhealthy', stack: null }
  applyMessage(
    state,
    message('snapshot', {
      host: { self: host },
      containers: { c: container, d: { ...container, id: 'd', health: 'healthy' } },
      routes: { r: { id: 'r', problem: 'port 80 is in use', rates: [] } },
    }),
  )
  assert.deepEqual(
    problemsOf(state).map(({ tone, subject }) => [tone, subject]),
    [
      ['bad', 'r'],
      ['bad', 'web'],
      ['warn', 'h'],
    ],
  )
  assert.deepEqual(problemsOf(emptyState()), [])
})

test('the picture has a line for each that may, tried or is routed, and none for what an open application says anyway', () => {
  const services = new Map([
    ['shop', ['web', 'db']],
    ['tool', ['x']],
  ])
  const open = { from: 'shop/*', to: 'shop/*', ports: 'every port', rule: '' }
  const mayTalk = [open, { from: 'tool/*', to: 'shop/db', ports: 'tcp/5432', rule: '' }]
  const refused = [{ from: 'tool/x', to: 'shop/web', protocol: 'tcp', port: 80, packets: 2 }]
  const graph = talkGraph(services, mayTalk, refused, [{ name: ':80', services: ['shop/web'] }])
  assert.deepEqual(
    graph.edges.map(({ kind, from, to: target }) => [kind, from.name, target.name]),
    [
      ['allowed', 'tool/x', 'shop/db'],
      ['routed', 'comes in/:80', 'shop/web'],
      ['refused', 'tool/x', 'shop/web'],
    ],
  )
  assert.deepEqual(
    graph.groups.map(({ name, isOpen }) => [name, isOpen]),
    [
      ['comes in', false],
      ['shop', true],
      ['tool', false],
    ],
  )
})
