import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'

import fc from 'fast-check'

import { silentLog, virtualClock } from '#base'
import type { LiveMessage, LiveTopics, Topic } from '#dashboard/wire'

import { createLiveHub, type LiveReader } from './live/hub.ts'
import { createKnown } from './live/known.ts'
import type { Changed, LiveSource } from './live/source.ts'
import { streamLive } from './live/stream.ts'
import { rig } from './test-rig.ts'

type Values = Map<string, unknown>

/** A source whose values a test sets. */
function fakeSource() {
  const values = new Map<Topic, Values>()
  const reads: string[] = []
  let changed: Changed | undefined
  const source: LiveSource = {
    watch: (tell) => {
      changed = tell
      return {
        read: async <T extends Topic>(topic: T, ids: readonly string[] | null) => {
          reads.push(`${topic} ${ids?.join(',') ?? 'all'}`)
          const all = [...(values.get(topic) ?? [])].filter(([id]) => ids?.includes(id) ?? true)
          return await Promise.resolve(new Map(all) as ReadonlyMap<string, unknown> as ReadonlyMap<string, LiveTopics[T]>)
        },
        [Symbol.dispose]: () => (changed = undefined),
      }
    },
  }
  const set = (topic: Topic, id: string, value: unknown) => {
    const map = values.get(topic) ?? new Map<string, unknown>()
    values.set(topic, map)
    if (value === null) map.delete(id)
    else map.set(id, value)
    changed?.(topic, [id])
  }
  return { source, reads, set, isWatched: () => changed !== undefined }
}

function collector(): LiveReader & { readonly messages: LiveMessage[] } {
  const messages: LiveMessage[] = []
  return {
    messages,
    tell: (text) => {
      messages.push(JSON.parse(text) as LiveMessage)
      return true
    },
  }
}

test('a reader gets a snapshot and then what changed, several changes in one message', async () => {
  const clock = virtualClock()
  const { source, set } = fakeSource()
  set('containers', 'a', { name: 'one' })
  const hub = createLiveHub({ source, clock, log: silentLog() })
  const reader = collector()
  using _joined = hub.join(reader)
  await clock.advance(1)
  assert.equal(reader.messages[0]?.kind, 'snapshot')
  assert.deepEqual(reader.messages[0]?.topics.containers, { a: { name: 'one' } })
  set('containers', 'a', { name: 'two' })
  set('containers', 'b', { name: 'three' })
  set('stacks', 's', { name: 's' })
  await clock.advance(1000)
  assert.equal(reader.messages.length, 2)
  assert.deepEqual(reader.messages[1]?.topics, {
    containers: { a: { name: 'two' }, b: { name: 'three' } },
    stacks: { s: { name: 's' } },
  })
  set('containers', 'b', null)
  await clock.advance(1000)
  assert.deepEqual(reader.messages[2]?.topics, { containers: { b: null } })
})

test('a change that changes nothing is not told', async () => {
  const clock = virtualClock()
  const { source, set } = fakeSource()
  set('containers', 'a', { name: 'one' })
  const reader = collector()
  using _joined = createLiveHub({ source, clock, log: silentLog() }).join(reader)
  await clock.advance(1)
  set('containers', 'a', { name: 'one' })
  await clock.advance(5000)
  assert.equal(reader.messages.length, 1)
})

test('only what may have changed is read again, and nothing while nobody looks', async () => {
  const clock = virtualClock()
  const { source, set, reads, isWatched } = fakeSource()
  const hub = createLiveHub({ source, clock, log: silentLog() })
  assert.equal(isWatched(), false)
  const first = hub.join(collector())
  const second = hub.join(collector())
  await clock.advance(1)
  reads.length = 0
  set('containers', 'a', { name: 'one' })
  await clock.advance(1000)
  assert.deepEqual(reads, ['containers a'])
  first[Symbol.dispose]()
  assert.equal(isWatched(), true)
  second[Symbol.dispose]()
  assert.equal(isWatched(), false)
  await clock.advance(60_000)
  assert.deepEqual(reads, ['containers a'])
})

test('who comes later gets what is known now, and who does not read any more is let go', async () => {
  const clock = virtualClock()
  const { source, set } = fakeSource()
  set('host', 'self', { load1: 1 })
  const hub = createLiveHub({ source, clock, log: silentLog() })
  let told = 0
  hub.join({ tell: () => ++told < 2 })
  await clock.advance(1)
  const late = collector()
  using _joined = hub.join(late)
  assert.deepEqual(late.messages[0]?.topics.host, { self: { load1: 1 } })
  for (const load1 of [2, 3, 4]) {
    set('host', 'self', { load1 })
    await clock.advance(1000)
  }
  assert.equal(told, 2)
  assert.equal(late.messages.length, 4)
})

test('a source that cannot be read of one thing is told of the others', async () => {
  const clock = virtualClock()
  const { source, set } = fakeSource()
  set('containers', 'a', { name: 'one' })
  const broken: LiveSource = {
    watch: (changed) => {
      const watching = source.watch(changed)
      return {
        ...watching,
        read: async (topic, ids) =>
          topic === 'routes' ? await Promise.reject(new Error('the router is away')) : await watching.read(topic, ids),
      }
    },
  }
  const reader = collector()
  using _joined = createLiveHub({ source: broken, clock, log: silentLog() }).join(reader)
  await clock.advance(1)
  assert.deepEqual(reader.messages[0]?.topics.containers, { a: { name: 'one' } })
})

test('snapshot and deltas together are always what there is', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b', 'c', '__proto__'),
    value: fc.option(fc.nat(3), { nil: null }),
    isWhole: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, joinAt) => {
      const known = createKnown()
      const now = new Map<string, unknown>()
      let seen = new Map<string, unknown>()
      for (const [at, { id, value, isWhole }] of steps.entries()) {
        if (value === null) now.delete(id)
        else now.set(id, value)
        const ids = isWhole ? null : [id]
        const read = new Map([...now].filter(([one]) => ids?.some((id) => id === one) ?? true))
        const changes = known.take('events', ids, read)
        for (const [one, to] of Object.entries(changes))
          if (to === null) seen.delete(one)
          else seen.set(one, to)
        // Somebody who joins just now knows the same.
        if (at === joinAt) {
          const snapshot = JSON.parse(known.snapshot(0)) as { readonly topics: { readonly events?: object } }
          seen = new Map(Object.entries(snapshot.topics.events ?? {}))
        }
      }
      assert.deepEqual(seen, now)
    }),
  )
})

test('the stream is server-sent events, and ends with the session', async () => {
  await using at = await rig()
  at.values.set('host', new Map([['self', { load1: 1 }]]))
  const ann = await at.user('ann', 'viewer')
  const response = await ann.ask('/live')
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const reader = response.body?.getReader()
  await at.clock.advance(1)
  const first = new TextDecoder().decode((await reader?.read())?.value)
  assert.match(first, /^data: \{"kind":"snapshot".*"host":\{"self":\{"load1":1\}\}.*\n\n$/)
  await at.dashboard.accounts.put('ann', { password: 'another password' }, 'a test')
  assert.equal((await reader?.read())?.done, true)
  // Nobody looks any more.
  while (at.changed() !== undefined) await new Promise((resolve) => setImmediate(resolve))
})

test('a stream ends at its next beat when the role is another one', async () => {
  await using at = await rig()
  const ann = await at.user('ann', 'viewer')
  const reader = (await ann.ask('/live')).body?.getReader()
  await at.clock.advance(1)
  await reader?.read()
  await at.dashboard.accounts.put('ann', { role: 'operator' }, 'a test')
  await at.clock.advance(15_000)
  assert.equal((await reader?.read())?.done, true)
})

test('a connection on which too much is unread is cut, and its reader let go', async () => {
  const clock = virtualClock()
  const { source, set, isWatched } = fakeSource()
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    writableLength: 0,
    written: [] as string[],
    writeHead: () => undefined,
    flushHeaders: () => undefined,
    write: (text: string) => void response.written.push(text),
    end: () => undefined,
    destroy: () => {
      response.destroyed = true
      response.emit('close')
    },
  })
  const nothing = { [Symbol.dispose]: () => undefined }
  streamLive(response as unknown as ServerResponse, {
    hub: createLiveHub({ source, clock, log: silentLog() }),
    clock,
    isAllowed: () => true,
    onEnd: () => nothing,
  })
  await clock.advance(1)
  assert.equal(response.written.length, 1)
  await clock.advance(15_000)
  assert.equal(response.written[1], ':\n\n')
  response.writableLength = 9 * 1024 * 1024
  set('host', 'self', { load1: 1 })
  await clock.advance(1000)
  assert.deepEqual([response.destroyed, response.written.length, isWatched()], [true, 2, false])
})
