import assert from 'node:assert/strict'
import { test } from 'node:test'

import { virtualClock } from '#base'

import { createEvents } from './events.ts'

const sample = (action: string) => ({ type: 'container', action, actorId: 'a', attributes: {} }) as const

test('a subscriber sees the past since a time and then what follows, without a gap', async () => {
  const clock = virtualClock()
  const events = createEvents(clock)
  events.publish(sample('create'))
  const abort = new AbortController()
  const seen: string[] = []
  const reading = (async () => {
    for await (const event of events.subscribe({ sinceNs: 0n, untilNs: null, signal: abort.signal })) {
      seen.push(event.action)
      if (seen.length === 3) abort.abort()
    }
  })()
  events.publish(sample('start'))
  events.publish(sample('die'))
  await reading
  assert.deepEqual(seen, ['create', 'start', 'die'])
})

test('two events of one nanosecond keep their order by their times', () => {
  const events = createEvents(virtualClock())
  const times: bigint[] = []
  events.listen((event) => times.push(event.timeNs))
  events.publish(sample('a'))
  events.publish(sample('b'))
  assert.ok((times[1] ?? 0n) > (times[0] ?? 0n))
})

test('a subscription with an end in the past gives the past and ends', async () => {
  const clock = virtualClock()
  const events = createEvents(clock)
  events.publish(sample('create'))
  const seen: string[] = []
  for await (const event of events.subscribe({ sinceNs: 0n, untilNs: clock.nowNs(), signal: new AbortController().signal }))
    seen.push(event.action)
  assert.deepEqual(seen, ['create'])
})

test('a reader that is too far behind is told so instead of filling the memory', async () => {
  const events = createEvents(virtualClock())
  const reader = events.subscribe({ sinceNs: null, untilNs: null, signal: new AbortController().signal })
  for (let i = 0; i < 5000; i += 1) events.publish(sample('x'))
  await assert.rejects(async () => {
    for await (const event of reader) assert.equal(event.action, 'x')
  }, /behind/)
})
