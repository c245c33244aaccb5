import assert from 'node:assert/strict'
import { test } from 'node:test'

import { seededRandom, silentLog, virtualClock } from '#base'
import { keyOf, type NodeRecord, type RunRecord, type TaskRecord } from '#cluster/model'
import { DEFAULT_SETTINGS, startScheduling } from '#cluster/scheduler'
import { openMirror, openServices, startServiceLoop, type ServiceWish } from '#cluster/services'
import { PLAIN_SERVICE, type JobSpec, type ServiceSpec } from '#cluster/spec'

import { memoryStore } from '../store/memory.ts'
import { startJobs } from './index.ts'

const MINUTE_MS = 60_000
const START = Date.parse('2026-05-01T12:00:30Z')

test('a scheduled job goes from its time to tasks on nodes, through a failure, to a run that succeeded and is forgotten in the end', async () => {
  await using world = await open()
  await world.create({ completions: 3, parallelism: 2, retries: 1 })
  await world.minutes(4)
  assert.deepEqual(await world.runs(), [])
  await world.minutes(1)
  assert.deepEqual(
    (await world.runs()).map(({ state }) => state),
    ['running'],
  )
  assert.equal((await world.live()).length, 2, 'as many as may be at once')
  // One fails and is tried again.
  world.exitCode = 1
  await world.endOne()
  world.exitCode = 0
  for (let round = 0; round < 6; round += 1) await world.endOne()
  const [run] = await world.runs()
  assert.deepEqual([run?.state, run?.reason], ['succeeded', '3 tasks ended with 0'])
  await world.minutes(5)
  assert.equal((await world.runs()).length, 2)
  for (let round = 0; round < 6; round += 1) await world.endOne()
  // One that succeeded is kept, and its tasks with it.
  const [kept, ...others] = await world.runs()
  assert.deepEqual([kept?.state, others.length], ['succeeded', 0])
  assert.deepEqual(new Set((await world.tasks()).map(({ runId }) => runId)), new Set([kept?.id]))
})

test('a run that takes longer than its deadline fails, and its tasks are told to end', async () => {
  await using world = await open()
  await world.create({ completions: 1, parallelism: 1, retries: 0, deadlineMs: 2 * MINUTE_MS })
  await world.minutes(8)
  const [run] = await world.runs()
  assert.deepEqual([run?.state, run?.reason], ['failed', 'its deadline passed when 0 of 1 tasks were done'])
  assert.deepEqual(
    (await world.tasks()).map(({ desiredState }) => desiredState),
    ['shutdown'],
  )
})

async function open() {
  const clock = virtualClock(START)
  const store = memoryStore(clock)
  const ports = { store, clock, log: silentLog() }
  const kinds = ['node/', 'service/', 'revision/', 'task/', 'run/', 'schedule/', 'turn/', 'alive/']
  const picture = openMirror({ ...ports, prefixes: kinds })
  const random = seededRandom(1)
  const loop = startServiceLoop({
    ...ports,
    mirror: picture,
    random,
    metrics: { compare: async () => undefined },
    images: { resolve: async () => 'sha256:image' },
  })
  const services = openServices({ store, mirror: picture, clock, random, waits: loop.waits })
  const scheduling = startScheduling({ ...ports, picture, settings: DEFAULT_SETTINGS, rebalanceEveryMs: null })
  const jobs = startJobs({ ...ports, picture })
  await store.write({
    puts: ['n1', 'n2'].flatMap((id) => [
      { key: keyOf('node', id), value: nodeRecord(id) },
      { key: keyOf('alive', id), value: {} },
    ]),
  })
  const tasks = async () => (await store.range<TaskRecord>('task/')).entries.map(({ value }) => value)
  const live = async () => (await tasks()).filter(({ status }) => status.state === 'assigned')
  const end = async (task: TaskRecord, state: TaskRecord['status']['state']) => {
    const status = { ...task.status, state, sinceMs: clock.nowMs(), exitCode: world.exitCode }
    await store.write({ puts: [{ key: keyOf('task', task.id), value: { ...task, status } }] })
    await clock.advance(2000)
  }
  const world = {
    exitCode: 0,
    tasks,
    live,
    runs: async () => (await store.range<RunRecord>('run/')).entries.map(({ value }) => value),
    minutes: async (count: number) => {
      await clock.advance(count * MINUTE_MS)
      await clock.advance(500)
    },
    create: async (job: Partial<JobSpec>) => {
      await services.create(wishOf(job))
      await clock.advance(500)
    },
    /** What a node would do: one task of those that run ends. */
    endOne: async () => {
      const [task] = await live()
      if (task !== undefined) await end(task, world.exitCode === 0 ? 'complete' : 'failed')
      for (const gone of await tasks())
        if (gone.desiredState === 'remove' && gone.status.state !== 'remove') await end(gone, 'remove')
    },
    [Symbol.asyncDispose]: async () => {
      await jobs[Symbol.asyncDispose]()
      await scheduling[Symbol.asyncDispose]()
      await loop[Symbol.asyncDispose]()
      await picture[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
  return world
}

function wishOf(job: Partial<JobSpec>): ServiceWish {
  const schedule = {
    cron: '*/5 * * * *',
    timeZone: 'Europe/Berlin',
    concurrency: 'forbid' as const,
    startingDeadlineMs: null,
    isSuspended: false,
    keepSucceeded: 1,
    keepFailed: 1,
  }
  const resources = { reservedNanoCpus: null, memoryReservationBytes: null }
  const spec = {
    ...PLAIN_SERVICE,
    name: 'report',
    mode: 'replicated-job',
    replicas: 1,
    job: { completions: 1, parallelism: 1, deadlineMs: null, retries: 0, ...job, schedule },
    dependsOn: [],
    restart: { condition: 'never', maxAttempts: 0, delayMs: 0 },
    ports: [],
    containerName: null,
    task: { image: 'report:1', mounts: [], networks: [], resources },
  } as unknown as ServiceSpec
  const parts = { networks: [], volumes: [], secrets: [], configs: [], versions: {}, workingDir: '', configFiles: [] }
  return { name: 'shop_report', stack: 'shop', labels: {}, spec, parts, imageId: 'sha256:image', by: 'ann' }
}

function nodeRecord(id: string): NodeRecord {
  return {
    id,
    labels: {},
    role: 'worker',
    availability: 'active',
    createdAtMs: 0,
    updatedAtMs: 0,
    description: {
      hostname: id,
      platform: { os: 'linux', architecture: 'amd64' },
      nanoCpus: 4e9,
      memoryBytes: 4e9,
      engineLabels: {},
      engineVersion: '1',
    },
    status: { state: 'ready', sinceMs: 0, message: '', address: '10.0.0.1' },
  }
}
