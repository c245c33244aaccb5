import assert from 'node:assert/strict'
import { test } from 'node:test'

import { seededRandom, silentLog, virtualClock } from '#base'
import { keyOf, type RunRecord } from '#cluster/model'
import { openMirror } from '#cluster/services'
import { PLAIN_SERVICE, type JobSpec, type ScheduleSpec } from '#cluster/spec'

import { memoryStore } from '../store/memory.ts'
import { openJobs, startJobs, type RunView } from './index.ts'

const MINUTE_MS = 60_000
const START = Date.parse('2026-05-01T12:00:30Z')
const SCHEDULE: ScheduleSpec = {
  cron: '*/5 * * * *',
  timeZone: 'Europe/Berlin',
  concurrency: 'forbid',
  startingDeadlineMs: null,
  isSuspended: false,
  keepSucceeded: 3,
  keepFailed: 3,
}

test('a job is found by its path, its name and the beginning of its id, and others are refused by name', async () => {
  await using world = await open()
  await world.put('a1', 'backup', SCHEDULE)
  await world.put('a2', 'web', undefined)
  for (const ref of ['shop/backup', 'shop_backup', 'a1']) assert.equal((await world.jobs.get(ref)).name, 'shop/backup')
  await assert.rejects(world.jobs.get('nobody'), { code: 'job.not_found', message: 'no such job: nobody' })
  await assert.rejects(world.jobs.get('a'), { code: 'job.ambiguous' })
  await assert.rejects(world.jobs.get('shop/web'), { code: 'job.is_no_job' })
  assert.deepEqual(
    (await world.jobs.list()).map(({ name, state, nextAtMs }) => [name, state, nextAtMs]),
    [['shop/backup', 'active', Date.parse('2026-05-01T12:05:00Z')]],
  )
})

test('a run by hand comes at once, and beside no other unless the job says so', async () => {
  await using world = await open()
  await world.put('a1', 'backup', SCHEDULE)
  await world.put('a2', 'many', { ...SCHEDULE, concurrency: 'allow' })
  const run = await world.jobs.run('shop/backup', 'ann')
  assert.deepEqual([run.state, run.cause, run.attempts, run.exitCode], ['running', 'manual', 0, null])
  await assert.rejects(world.jobs.run('shop/backup', 'ann'), { code: 'job.run_under_way' })
  await world.jobs.run('shop/many', 'ann')
  await world.jobs.run('shop/many', 'ann')
  // The schedule sees it as well.
  await world.clock.advance(5 * MINUTE_MS)
  const { skipped, underWay, note } = await world.jobs.get('shop/backup')
  assert.deepEqual([skipped, underWay], [1, [run.name]])
  assert.match(note, /was skipped/)
  assert.equal((await world.jobs.get('shop/many')).underWay.length, 3)
})

test('two that ask for a run at the same moment get one', async () => {
  await using world = await open()
  await world.put('a1', 'backup', SCHEDULE)
  const asking = Promise.allSettled([1, 2, 3].map(async () => await world.jobs.run('shop/backup', 'ann')))
  for (let tries = 0; tries < 5; tries += 1) await world.clock.advance(10)
  const asked = await asking
  assert.deepEqual(asked.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected', 'rejected'])
  assert.equal((await world.jobs.history('shop/backup')).length, 1)
})

test('a cancelled run is over for good, and history says how each one ended', async () => {
  await using world = await open()
  await world.put('a1', 'backup', SCHEDULE)
  const { name } = await world.jobs.run('shop/backup', 'ann')
  await world.task(name, 1, 'failed', 7)
  await world.clock.advance(1000)
  const [failed] = await world.jobs.history('shop/backup')
  assert.deepEqual([failed?.state, failed?.exitCode, failed?.attempts], ['failed', 7, 1])
  assert.equal(failed?.reason, 'slot 1 failed once: exit code 7')
  await assert.rejects(world.jobs.cancel('shop/backup', name, 'ann'), { code: 'job.run_is_over', message: /has failed already/ })
  const second = await world.jobs.run('shop/backup', 'ann')
  assert.equal((await world.jobs.cancel('shop/backup', second.name, 'ann')).reason, 'cancelled by ann')
  await assert.rejects(world.jobs.cancel('shop/backup', 'nothing', 'ann'), { code: 'job.run_not_found' })
  assert.deepEqual(
    (await world.jobs.history('shop/backup')).map(({ state }) => state),
    ['cancelled', 'failed'],
  )
})

test('times of a suspended job are missed, also over a new description, and resuming makes up for none', async () => {
  await using world = await open()
  await world.put('a1', 'backup', SCHEDULE)
  assert.equal((await world.jobs.suspend('shop/backup')).state, 'suspended')
  await world.clock.advance(10 * MINUTE_MS)
  await world.put('a1', 'backup', { ...SCHEDULE, cron: '*/2 * * * *' })
  await world.clock.advance(4 * MINUTE_MS)
  const held = await world.jobs.get('shop/backup')
  assert.deepEqual([held.missed, held.nextAtMs, held.suspendedBy], [4, null, 'hand'])
  // Nobody looks while two times pass.
  await using later = await world.withoutLoop()
  await later.clock.advance(4 * MINUTE_MS)
  const back = await later.jobs.resume('shop/backup')
  assert.deepEqual([back.state, back.missed], ['active', 6])
  assert.deepEqual(await later.jobs.history('shop/backup'), [])
  assert.equal(back.nextAtMs! > later.clock.nowMs(), true)
})

test('what a description suspends is not resumed by hand, and without a schedule there is nothing to hold', async () => {
  await using world = await open()
  await world.put('a1', 'backup', { ...SCHEDULE, isSuspended: true })
  await world.put('a2', 'once', null)
  await assert.rejects(world.jobs.resume('shop/backup'), { code: 'job.not_possible', message: /description/ })
  await assert.rejects(world.jobs.suspend('shop/once'), { code: 'job.not_possible', message: /no schedule/ })
  assert.equal((await world.jobs.run('shop/backup', 'ann')).cause, 'manual')
})

test('a job without a schedule runs again by hand when its own run is over, and a newer revision waits for that', async () => {
  await using world = await open()
  await world.put('a1', 'once', null)
  await world.clock.advance(10)
  await assert.rejects(world.jobs.run('shop/once', 'ann'), { code: 'job.run_under_way' })
  await world.task('r1', 1, 'complete', 0)
  await world.clock.advance(10)
  const { name } = await world.jobs.run('shop/once', 'ann')
  await world.put('a1', 'once', null, 2)
  await world.clock.advance(10)
  assert.deepEqual((await world.jobs.get('shop/once')).underWay, [name])
  await world.task(name, 1, 'complete', 0)
  await world.clock.advance(10)
  assert.deepEqual((await world.jobs.get('shop/once')).underWay, ['r2'])
})

test('whoever follows a run sees it to its end, and that of its last task', async () => {
  await using world = await open()
  await world.put('a1', 'backup', SCHEDULE)
  const { name } = await world.jobs.run('shop/backup', 'ann')
  const seen: RunView[] = []
  const following = (async () => {
    for await (const run of world.jobs.follow('shop/backup', name, new AbortController().signal)) seen.push(run)
  })()
  await world.clock.advance(10)
  await world.task(name, 1, 'running', null)
  await world.clock.advance(10)
  await world.jobs.cancel('shop/backup', name, 'ann')
  await world.clock.advance(10)
  assert.equal(seen.at(-1)?.state, 'cancelled')
  assert.equal(seen.at(-1)?.tasks[0]?.isEnded, false)
  await world.task(name, 1, 'shutdown', 143)
  await following
  assert.deepEqual([seen.at(-1)?.state, seen.at(-1)?.tasks[0]?.isEnded], ['cancelled', true])
})

async function open() {
  const clock = virtualClock(START)
  const store = memoryStore(clock)
  const ports = { store, clock, log: silentLog() }
  const picture = openMirror({ ...ports, prefixes: ['node/', 'service/', 'revision/', 'task/', 'run/', 'schedule/'] })
  const loop = startJobs({ ...ports, picture })
  const jobs = openJobs({ store, clock, random: seededRandom(7) })
  const put = async (id: string, name: string, schedule: ScheduleSpec | null | undefined, revision = 1) => {
    const plain: JobSpec = { completions: 1, parallelism: 1, deadlineMs: null, retries: 0, schedule: schedule ?? null }
    const job = schedule === undefined ? null : plain
    const service = { id, name: `shop_${name}`, stack: 'shop', revision, state: 'active' }
    const spec = { ...PLAIN_SERVICE, name, mode: job === null ? 'replicated' : 'replicated-job', job }
    await store.write({
      puts: [
        { key: keyOf('service', id), value: service },
        { key: keyOf('revision', id, revision), value: { serviceId: id, number: revision, spec } },
      ],
    })
    await clock.advance(1)
  }
  const task = async (run: string, slot: number, state: string, exitCode: number | null) => {
    const runs = (await store.range<RunRecord>('run/')).entries.map(({ value }) => value)
    const { id, serviceId } = runs.find((one) => one.id.endsWith(`.${run}`))!
    const status = { state, error: '', exitCode, containerId: 'c', isOomKilled: false }
    const value = {
      id: `${run}.${slot}`,
      serviceId,
      slot,
      nodeId: 'n',
      runId: id,
      status,
      desiredState: 'running',
      createdAtMs: 0,
    }
    await store.write({ puts: [{ key: keyOf('task', value.id), value }] })
  }
  const close = async () => {
    await loop[Symbol.asyncDispose]()
    await picture[Symbol.asyncDispose]()
  }
  return {
    clock,
    jobs,
    put,
    task,
    withoutLoop: async () => {
      await close()
      return { clock, jobs, [Symbol.asyncDispose]: async () => await Promise.resolve() }
    },
    [Symbol.asyncDispose]: async () => {
      await close()
      await store[Symbol.asyncDispose]()
    },
  }
}
