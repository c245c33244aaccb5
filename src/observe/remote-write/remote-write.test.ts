import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { silentLog, virtualClock } from '#base'
import { createRegistry, labelText, type Reading } from '#observe/metrics'

import { startRemoteWrite, type RemoteAnswer } from './remote-write.ts'
import { packSnappy } from './snappy.ts'
import { decodeWriteRequest, unpackSnappy } from './testing.ts'

test('whatever is packed comes back', () => {
  const repetitive = fc
    .array(fc.constantFrom('abcd', 'label="x"', '\u0000\u0000', 'q', 'glovebox_container_'), { maxLength: 400 })
    .map((words) => Buffer.from(words.join('')))
  fc.assert(
    fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 500 })), (bytes) => {
      assert.deepEqual(Buffer.from(unpackSnappy(packSnappy(bytes))), Buffer.from(bytes))
    }),
  )
  const long = Buffer.alloc(200_000, 'service="web",stack="shop" ')
  assert.deepEqual(Buffer.from(unpackSnappy(packSnappy(long))), long)
  assert.ok(packSnappy(long).length < long.length / 15)
  let seed = 7
  const noise = Uint8Array.from({ length: 150_000 }, () => (seed = (seed * 48_271) % 2_147_483_647) & 0xff)
  assert.deepEqual(unpackSnappy(packSnappy(noise)), noise)
})

const reading = (services: readonly string[], value = 1): Reading => ({
  atMs: 0,
  families: [
    {
      name: 'level',
      type: 'gauge',
      help: 'How high.',
      samples: services.map((service) => ({ suffix: '', labels: labelText({ service, b: 'é"\n' }), value })),
    },
  ],
})

function rig(answers: (RemoteAnswer | Error)[], maxQueueBytes = 1_000_000) {
  const clock = virtualClock()
  const registry = createRegistry({ clock, log: silentLog() })
  const bodies: ReturnType<typeof decodeWriteRequest>[] = []
  const remote = startRemoteWrite({
    clock,
    log: silentLog(),
    registry,
    external: { instance: 'box' },
    maxQueueBytes,
    post: async (body) => {
      bodies.push(decodeWriteRequest(unpackSnappy(body)))
      const answer = answers.shift() ?? { status: 204, retryAfterMs: null, text: '' }
      if (answer instanceof Error) throw answer
      return await Promise.resolve(answer)
    },
  })
  const counted = async (outcome: string) => {
    const { families } = await registry.read('all', 0)
    const family = families.find(({ name }) => name === 'glovebox_remote_write_samples_total')
    return family?.samples.find(({ labels }) => labels === `outcome="${outcome}"`)?.value ?? 0
  }
  return { clock, remote, bodies, counted }
}

test('a reading is sent with sorted labels, its types, and an end for what has gone', async () => {
  const { clock, remote, bodies } = rig([])
  remote.offer(1_900_000_000_000, reading(['web', 'db']))
  await clock.advance(0)
  remote.offer(1_900_000_010_000, reading(['web'], 2.5))
  await clock.advance(0)
  assert.deepEqual(bodies[0]?.series[0], {
    labels: [
      ['__name__', 'level'],
      ['b', 'é"\n'],
      ['instance', 'box'],
      ['service', 'web'],
    ],
    samples: [{ value: 1, isStale: false, atMs: 1_900_000_000_000 }],
  })
  assert.deepEqual(bodies[1]?.metadata, [{ type: 2, name: 'level', help: 'How high.' }])
  const last = bodies[2]?.series.map(({ labels, samples }) => [labels.at(-1)?.[1], samples[0]?.value, samples[0]?.isStale])
  assert.deepEqual(last, [
    ['web', 2.5, false],
    ['db', NaN, true],
  ])
  await remote[Symbol.asyncDispose]()
})

test('what finds nobody is sent again in order, and what is refused is not', async () => {
  const { clock, remote, bodies, counted } = rig([
    new Error('connection refused'),
    { status: 503, retryAfterMs: null, text: 'later' },
    { status: 429, retryAfterMs: 120_000, text: 'too fast' },
    { status: 204, retryAfterMs: null, text: '' },
    { status: 204, retryAfterMs: null, text: '' },
    { status: 400, retryAfterMs: null, text: 'out of order' },
  ])
  remote.offer(1_900_000_000_000, reading(['web']))
  await clock.advance(60_000)
  assert.equal(bodies.length, 3)
  await clock.advance(60_000)
  assert.equal(bodies.length, 3)
  await clock.advance(120_000)
  assert.equal(await counted('sent'), 1)
  remote.offer(1_900_000_010_000, reading(['web']))
  await clock.advance(1000)
  assert.equal(await counted('refused'), 1)
  assert.deepEqual(
    bodies.slice(0, 4).map(({ series }) => series.length),
    [1, 1, 1, 1],
  )
  await remote[Symbol.asyncDispose]()
})

test('while nobody answers the queue stays within its bound, and the oldest go', async () => {
  const { clock, remote, counted } = rig(
    Array.from({ length: 1000 }, () => new Error('no')),
    20_000,
  )
  let seed = 3
  const names = Array.from({ length: 100 }, () =>
    Array.from({ length: 40 }, () => String.fromCharCode(97 + ((seed = (seed * 48_271) % 2_147_483_647) % 26))).join(''),
  )
  for (let round = 0; round < 40; round += 1) {
    // Other values each time, so that nothing is packed away.
    remote.offer(1_900_000_000_000 + round * 10_000, reading(names, seed / 7 + round))
    await clock.advance(10)
  }
  assert.ok((await counted('dropped')) > 0)
  await remote[Symbol.asyncDispose]()
})
