import assert from 'node:assert/strict'
import { test } from 'node:test'

import { memoryRecords } from '#base'

import { createCollection } from './collection.ts'
import { fakeMachine, type FakeMachine } from './fake-machine.ts'
import { readPolicy } from './policy.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const GIB = 1024 ** 3

const names = (machine: FakeMachine) => [...machine.images.values()].flatMap(({ tags }) => tags)

test('an image goes a week after it was used last, and log, events and report say so', async () => {
  const machine = fakeMachine()
  const collection = createCollection(machine.needs)
  collection.start()
  machine.add('old:1')
  const used = machine.add('used:1')
  await machine.clock.advance(6 * DAY_MS)
  machine.use.touch(used)
  assert.deepEqual(names(machine), ['old:1', 'used:1'])
  await machine.clock.advance(DAY_MS + HOUR_MS)
  assert.deepEqual(names(machine), ['used:1'])
  assert.match(machine.logLines.join(''), /removed an image .*names=old:1 .*why="unused for 7 days \(limit 7 days\)"/)
  assert.deepEqual(
    machine.events.map(({ type, action, attributes }) => [type, action, attributes['reclaimed']]),
    [['image', 'prune', String(GIB)]],
  )
  const { runs, lastPassAt, nextPassAt } = collection.report()
  assert.deepEqual(
    runs.map(({ trigger, removed }) => [trigger, removed.map((item) => item.names)]),
    [['schedule', [['old:1']]]],
  )
  assert.equal(Date.parse(nextPassAt ?? '') - Date.parse(lastPassAt ?? ''), HOUR_MS)
  await collection[Symbol.asyncDispose]()
  await machine.clock.advance(30 * DAY_MS)
  assert.deepEqual(names(machine), ['used:1'])
})

test('what containers refer to counts as used until they are gone', async () => {
  const machine = fakeMachine()
  const collection = createCollection(machine.needs)
  collection.start()
  const image = machine.add('web:1')
  machine.referrers.push({ image, by: 'container web' })
  await machine.clock.advance(30 * DAY_MS)
  machine.referrers.length = 0
  await machine.clock.advance(6 * DAY_MS)
  assert.deepEqual(names(machine), ['web:1'])
  await machine.clock.advance(DAY_MS + HOUR_MS)
  assert.deepEqual(names(machine), [])
})

test('an image that came into use after the plan was made stays', async () => {
  const machine = fakeMachine()
  const image = machine.add('web:1')
  await machine.clock.advance(8 * DAY_MS)
  machine.use.lastUsedMs(image)
  await machine.clock.advance(8 * DAY_MS)
  let asked = 0
  const needs = { ...machine.needs, referrers: () => ((asked += 1) === 1 ? [] : [{ image, by: 'container late' }]) }
  const run = await createCollection(needs).collect('request')
  assert.deepEqual([run.removed, names(machine)], [[], ['web:1']])
})

test('a short disk is noticed within a minute', async () => {
  const machine = fakeMachine()
  const collection = createCollection(machine.needs)
  collection.start()
  machine.add('big:1')
  machine.add('big:2')
  await machine.clock.advance(2 * HOUR_MS)
  machine.other.bytes = 90 * GIB
  await machine.clock.advance(MINUTE_MS)
  assert.deepEqual(names(machine), [])
  const { runs } = collection.report()
  assert.deepEqual(
    runs.map(({ trigger, removed }) => [trigger, removed.length]),
    [['disk', 2]],
  )
  assert.match(runs[0]?.removed[0]?.why ?? '', /unused for 115 minutes, and only .* of the disk were free \(limit 10.7GB\)/)
})

test('a failed write makes room at once, once for many', async () => {
  const machine = fakeMachine()
  const collection = createCollection(machine.needs)
  collection.start()
  machine.add('big:1')
  machine.other.bytes = 85 * GIB
  await machine.clock.advance(2 * HOUR_MS)
  assert.deepEqual(names(machine), ['big:1'])
  for (let i = 0; i < 5; i += 1) collection.noteDiskFull()
  await machine.clock.advance(1)
  assert.deepEqual(names(machine), [])
  assert.deepEqual(
    collection.report().runs.map(({ trigger }) => trigger),
    ['disk full'],
  )
  machine.add('big:2')
  await machine.clock.advance(2 * HOUR_MS)
  collection.noteDiskFull()
  await machine.clock.advance(1)
  assert.deepEqual(names(machine), [])
})

test('switched off, nothing goes by itself, and a pass that is asked for does its work', async () => {
  const machine = fakeMachine({ policy: readPolicy('off') })
  const collection = createCollection(machine.needs)
  collection.start()
  machine.use.touch(machine.add('old:1'))
  await machine.clock.advance(30 * DAY_MS)
  collection.noteDiskFull()
  await machine.clock.advance(1)
  assert.deepEqual(names(machine), ['old:1'])
  assert.equal(collection.report().nextPassAt, null)
  assert.deepEqual(
    collection.preview().run.removed.map((item) => item.names),
    [['old:1']],
  )
  assert.deepEqual(names(machine), ['old:1'])
  await collection.collect('request')
  assert.deepEqual(names(machine), [])
})

test('images whose past is unknown are taken to be used when they are first seen', async () => {
  const machine = fakeMachine()
  machine.add('old:1', { lastTaggedAt: new Date(machine.clock.nowMs() - 90 * DAY_MS).toISOString() })
  const run = await createCollection(machine.needs).collect('request')
  assert.deepEqual(run.removed, [])
})

test('when a clock is set, ages count from then', async () => {
  const machine = fakeMachine()
  const collection = createCollection(machine.needs)
  collection.start()
  const image = machine.add('web:1')
  machine.use.touch(image)
  await machine.clock.advance(10 * MINUTE_MS)
  // As if all but a minute of a year had passed on the wall clock alone.
  machine.other.uptimeShiftMs = -365 * DAY_MS
  await machine.clock.advance(MINUTE_MS)
  assert.ok(machine.clock.nowMs() - machine.use.lastUsedMs(image) <= MINUTE_MS)
  assert.match(machine.logLines.join(''), /the clock was set/)
})

test('last uses survive a restart', async () => {
  const records = memoryRecords()
  const machine = fakeMachine({ records })
  machine.use.touch(machine.add('web:1'))
  await machine.clock.advance(8 * DAY_MS)
  const later = fakeMachine({ records, clock: machine.clock })
  later.add('web:1', { lastTaggedAt: new Date(machine.clock.nowMs() - 8 * DAY_MS).toISOString() })
  const collection = createCollection(later.needs)
  assert.equal((await collection.collect('request')).removed.length, 1)
  assert.equal(createCollection(later.needs).report().runs.length, 1)
})

test('what a running build may stand on stays', async () => {
  const machine = fakeMachine()
  const collection = createCollection(machine.needs)
  const base = machine.add('base:1')
  machine.use.touch(base)
  machine.other.buildStartMs = machine.clock.nowMs()
  await machine.clock.advance(9 * DAY_MS)
  assert.deepEqual((await collection.collect('request')).removed, [])
  assert.deepEqual(
    collection.preview().kept.map(({ why }) => why),
    ['used by a running build'],
  )
  machine.other.buildStartMs = null
  assert.equal((await collection.collect('request')).removed.length, 1)
})

test('a pass that fails says so and the next one comes', async () => {
  const machine = fakeMachine()
  const collection = createCollection(machine.needs)
  collection.start()
  machine.add('old:1')
  machine.other.failure = new Error('the disk is on fire')
  await machine.clock.advance(8 * DAY_MS)
  assert.match(collection.report().runs[0]?.failures.join() ?? '', /remove images: the disk is on fire/)
  machine.other.failure = null
  await machine.clock.advance(HOUR_MS)
  assert.deepEqual(names(machine), [])
})
