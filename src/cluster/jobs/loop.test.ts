import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLog, virtualClock } from '#base'
import { keyOf, type RunRecord, type ScheduleRecord, type ServiceRecord } from '#cluster/model'
import { openMirror } from '#cluster/services'
import { PLAIN_SERVICE } from '#cluster/spec'

import { memoryStore } from '../store/memory.ts'
import { startJobs } from './index.ts'

const MINUTE_MS = 60_000
const START = Date.parse('2026-05-01T12:00:30Z')

test('runs come when the clock says so, also after a restart in between, and a broken job holds up no other', async () => {
  const clock = virtualClock(START)
  await using store = memoryStore(clock)
  const ports = { store, clock, log: silentLog() }
  const begin = () => {
    const picture = openMirror({ ...ports, prefixes: ['node/', 'service/', 'revision/', 'task/', 'run/', 'schedule/'] })
    const jobs = startJobs({ ...ports, picture })
    return {
      [Symbol.asyncDispose]: async () => {
        await jobs[Symbol.asyncDispose]()
        await picture[Symbol.asyncDispose]()
      },
    }
  }
  const put = async (name: string, cron: string) => {
    const job = {
      completions: 1,
      parallelism: 1,
      deadlineMs: 90_000,
      retries: 0,
      schedule: {
        cron,
        timeZone: 'Europe/Berlin',
        concurrency: 'allow',
        startingDeadlineMs: null,
        isSuspended: false,
        keepSucceeded: 3,
        keepFailed: 2,
      },
    }
    const service = { id: name, name, stack: null, revision: 1, state: 'active' } as ServiceRecord
    const spec = { ...PLAIN_SERVICE, mode: 'replicated-job', job }
    await store.write({
      puts: [
        { key: keyOf('service', name), value: service },
        { key: keyOf('revision', name, 1), value: { serviceId: name, number: 1, spec } },
      ],
    })
  }
  const runs = async () => (await store.range<RunRecord>('run/')).entries.map(({ value }) => value)
  await put('broken', 'every now and then')
  await put('tick', '*/5 * * * *')
  {
    await using _ = begin()
    await clock.advance(MINUTE_MS)
    assert.deepEqual(await runs(), [])
    await clock.advance(4 * MINUTE_MS)
    assert.deepEqual(
      (await runs()).map(({ dueAtMs, state }) => [new Date(dueAtMs).toISOString(), state]),
      [['2026-05-01T12:05:00.000Z', 'running']],
    )
  }
  assert.match((await store.get<ScheduleRecord>(keyOf('schedule', 'broken')))!.value.note, /has 4 fields instead of 5/)
  await clock.advance(12 * MINUTE_MS)
  await using _ = begin()
  await clock.advance(MINUTE_MS)
  assert.deepEqual(
    (await runs()).map(({ dueAtMs, state }) => [new Date(dueAtMs).toISOString(), state]),
    [
      ['2026-05-01T12:05:00.000Z', 'failed'],
      ['2026-05-01T12:15:00.000Z', 'running'],
    ],
  )
  assert.equal((await store.get<ScheduleRecord>(keyOf('schedule', 'tick')))?.value.missed, 1)
  await store.write({ deletes: [keyOf('service', 'tick'), keyOf('revision', 'tick', 1)] })
  await clock.advance(MINUTE_MS)
  assert.deepEqual(await runs(), [])
})
