import assert from 'node:assert/strict'
import { test } from 'node:test'

import { memoryRecords, silentLog } from '#base'

import { failpointsAt, noFailpoints } from './failpoints.ts'
import { readFailpoint } from './read-failpoint.ts'
import { failpointNames } from './steps.ts'

test('without a failpoint every port is the very same object', () => {
  const store = memoryRecords()
  assert.equal(readFailpoint(undefined, { log: silentLog(), kill: assert.fail }), noFailpoints)
  assert.equal(noFailpoints.records(store), store)
})

test('a step is told before it is taken, as recovery until the daemon is ready and by its name afterwards', () => {
  const told: string[] = []
  const failpoints = failpointsAt((name) => told.push(name))
  const table = failpoints.records(memoryRecords()).table<number>('volume')
  table.put('a', 1)
  failpoints.ready()
  table.put('a', 2)
  table.delete('a')
  assert.deepEqual(told, ['recovery', 'records.volume.put', 'records.volume.delete'])
  assert.deepEqual(table.entries(), [])
})

test('it kills before the nth time only, and the step is not taken', () => {
  const store = memoryRecords()
  const kill = () => {
    throw new Error('killed')
  }
  const failpoints = readFailpoint('records.volume.put:2', { log: silentLog(), kill })
  failpoints.ready()
  const table = failpoints.records(store).table<number>('volume')
  table.put('a', 1)
  assert.throws(() => table.put('b', 2), /killed/)
  assert.deepEqual(store.table('volume').entries(), [['a', 1]])
  table.put('b', 2)
})

test('moments inside a call count as steps, and what the caller listens to is called as well', () => {
  const told: string[] = []
  const failpoints = failpointsAt((name) => told.push(name))
  failpoints.ready()
  const start = (options: { onConnected?: (n: number) => void }) => options.onConnected?.(7)
  let heard = 0
  const runtime = failpoints.port('runtime', { start })
  runtime.start({ onConnected: (n) => (heard = n) })
  runtime.start({})
  assert.deepEqual(told, ['runtime.start', 'runtime.start.connected', 'runtime.start', 'runtime.start.connected'])
  assert.equal(heard, 7)
})

test('a name that does not exist is refused with those that do', () => {
  assert.throws(() => readFailpoint('records.volume', { log: silentLog(), kill: assert.fail }), {
    code: 'input.invalid',
    message: /records.volume: there is no such step/,
  })
  assert.equal(new Set(failpointNames()).size, failpointNames().length)
})
