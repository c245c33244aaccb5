import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { RunRecord, ScheduleRecord, TaskRecord } from '#cluster/model'
import type { JobSpec, ScheduleSpec } from '#cluster/spec'

import { nextTime, parseCron, timeZone } from '#cluster/jobs/cron'

import { planJob, type JobState } from './index.ts'

const CASES = Number(process.env['GLOVEBOX_JOB_CASES'] ?? 60)
const MINUTE_MS = 60_000
const START = Date.parse('2026-03-28T22:00:00Z')

const SCHEDULE: ScheduleSpec = {
  cron: '0 * * * *',
  timeZone: 'UTC',
  concurrency: 'allow',
  startingDeadlineMs: null,
  isSuspended: false,
  keepSucceeded: 3,
  keepFailed: 1,
}
const JOB: JobSpec = { completions: 1, parallelism: 1, deadlineMs: null, retries: 0, schedule: SCHEDULE }

test('a schedule that is new begins with the next time, and a time that came makes a run', () => {
  const world = job(JOB)
  world.plan(START + MINUTE_MS)
  assert.equal(world.runs().length, 0)
  assert.equal(world.plan(START + 60 * MINUTE_MS), START + 120 * MINUTE_MS)
  assert.deepEqual(
    world.runs().map(({ dueAtMs, state }) => [dueAtMs, state]),
    [[START + 60 * MINUTE_MS, 'running']],
  )
})

test('times that came while nobody looked are made up for once, and the others counted as missed', () => {
  const world = job(JOB)
  world.plan(START + 1)
  world.plan(START + 5 * 60 * MINUTE_MS + MINUTE_MS)
  assert.deepEqual(
    world.runs().map(({ reason }) => reason),
    ['due at 2026-03-29T03:00:00.000Z; 4 before it were missed'],
  )
  assert.equal(world.schedule()?.missed, 4)
})

test('a time whose deadline for starting has passed is left out', () => {
  const world = job({ ...JOB, schedule: { ...SCHEDULE, startingDeadlineMs: 30_000 } })
  world.plan(START + 1)
  world.plan(START + 61 * MINUTE_MS)
  assert.equal(world.runs().length, 0)
  assert.match(world.schedule()!.note, /was missed by 60 s/)
})

test('forbid leaves a time out while a run is under way', () => {
  const world = job({ ...JOB, schedule: { ...SCHEDULE, concurrency: 'forbid' } })
  world.plan(START + 1)
  world.plan(START + 60 * MINUTE_MS)
  world.plan(START + 120 * MINUTE_MS)
  assert.equal(world.runs().length, 1)
  assert.equal(world.schedule()?.skipped, 1)
})

test('replace cancels the run under way, and begins when its tasks have ended', () => {
  const world = job({ ...JOB, schedule: { ...SCHEDULE, concurrency: 'replace' } })
  world.plan(START + 1)
  world.plan(START + 60 * MINUTE_MS)
  const [first] = world.runs()
  world.task(first!.id, 'running')
  world.plan(START + 120 * MINUTE_MS)
  world.plan(START + 121 * MINUTE_MS)
  assert.deepEqual(
    world.runs().map(({ state }) => state),
    ['cancelled'],
  )
  world.task(first!.id, 'shutdown')
  world.plan(START + 122 * MINUTE_MS)
  assert.deepEqual(
    world.runs().map(({ state, dueAtMs }) => [state, dueAtMs]),
    [
      ['cancelled', START + 60 * MINUTE_MS],
      ['running', START + 120 * MINUTE_MS],
    ],
  )
})

test('a run succeeds when every slot has a task that ended with 0, and fails when a slot has no attempts left', () => {
  const world = job({ ...JOB, completions: 2, retries: 1 })
  world.plan(START + 1)
  world.plan(START + 60 * MINUTE_MS)
  const [run] = world.runs()
  world.task(run!.id, 'complete', { slot: 1 })
  world.task(run!.id, 'failed', { slot: 2, exitCode: 3 })
  world.plan(START + 61 * MINUTE_MS)
  assert.equal(world.runs()[0]!.state, 'running', 'there is another attempt')
  world.task(run!.id, 'failed', { slot: 2, exitCode: 3, failures: 1 })
  world.plan(START + 62 * MINUTE_MS)
  assert.equal(world.runs()[0]!.reason, 'slot 2 failed 2 times: exit code 3')
})

test('a deadline ends a run, and is what the plan looks at next', () => {
  const world = job({ ...JOB, deadlineMs: 5000 })
  world.plan(START + 1)
  const at = START + 60 * MINUTE_MS
  assert.equal(world.plan(at), at + 5000)
  world.plan(at + 5000)
  assert.deepEqual(
    world.runs().map(({ state, reason }) => [state, reason]),
    [['failed', 'its deadline passed when 0 of 1 tasks were done']],
  )
})

test('a job without a schedule runs once for each revision, the next one after the one before has ended', () => {
  const world = job({ ...JOB, schedule: null })
  world.plan(START)
  world.plan(START + 1)
  assert.deepEqual(
    world.runs().map(({ id }) => id),
    ['s.r1'],
  )
  world.task('s.r1', 'running')
  world.revise()
  world.plan(START + 2)
  world.plan(START + 3)
  assert.deepEqual(
    world.runs().map(({ id, state }) => [id, state]),
    [['s.r1', 'cancelled']],
  )
  world.task('s.r1', 'shutdown')
  world.plan(START + 4)
  assert.deepEqual(
    world.runs().map(({ id, state }) => [id, state]),
    [
      ['s.r1', 'cancelled'],
      ['s.r2', 'running'],
    ],
  )
})

test('a service that goes takes its runs and its schedule along', () => {
  const world = job(JOB)
  world.plan(START + 1)
  world.plan(START + 60 * MINUTE_MS)
  world.remove()
  world.plan(START + 61 * MINUTE_MS)
  world.plan(START + 62 * MINUTE_MS)
  assert.deepEqual([world.runs(), world.schedule()], [[], null])
})

type Happening =
  | { readonly type: 'wait'; readonly minutes: number }
  | { readonly type: 'task'; readonly state: 'running' | 'complete' | 'failed' | 'shutdown'; readonly which: number }
  | { readonly type: 'suspend' }

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('wait' as const), minutes: fc.constantFrom(1, 7, 30, 61, 600) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('task' as const),
      state: fc.constantFrom('running', 'complete', 'failed', 'shutdown'),
      which: fc.nat(5),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'suspend' as const }) },
)

test('each time is run, skipped or missed, and that once; what forbids and replaces is never twice; what is kept has bounds', () => {
  const spec = fc.record({
    cron: fc.constantFrom('*/10 * * * *', '0 * * * *', '30 2 * * *', '0 0 * * sun', '15,45 1-4 * * *'),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
    concurrency: fc.constantFrom<ScheduleSpec['concurrency']>('allow', 'forbid', 'replace'),
    startingDeadlineMs: fc.constantFrom(null, 120_000, 3_600_000),
    isSuspended: fc.constant(false),
    keepSucceeded: fc.nat(3),
    keepFailed: fc.nat(2),
  })
  fc.assert(
    fc.property(spec, fc.array(happening, { maxLength: 40 }), (schedule, happenings) => {
      const world = job({ ...JOB, schedule, deadlineMs: 24 * 60 * MINUTE_MS })
      let nowMs = START
      world.plan(nowMs)
      for (const step of happenings) {
        if (step.type === 'wait') nowMs += step.minutes * MINUTE_MS
        else if (step.type === 'suspend') world.suspend()
        else {
          const runs = world.runs()
          const run = runs[step.which % Math.max(1, runs.length)]
          if (run !== undefined) world.task(run.id, step.state)
        }
        const before = new Map(world.runs().map((run) => [run.id, run]))
        const underWay = world.underWay()
        world.plan(nowMs)
        for (const run of world.runs()) {
          const old = before.get(run.id)
          if (old === undefined) {
            if (schedule.concurrency !== 'allow')
              assert.deepEqual(
                underWay.filter((id) => world.underWay().includes(id)),
                [],
              )
          } else if (old.state !== 'running') assert.deepEqual(run, old, 'what has ended changes')
        }
      }
      for (let round = 0; round < 3; round += 1) world.plan(nowMs)
      const kept = world.schedule()!
      assert.equal(world.made.size + kept.missed + kept.skipped, timesBetween(schedule, START, kept.handledUntilMs))
      const over = world.runs().filter(({ id, state }) => state !== 'running' && !world.underWay().includes(id))
      assert.ok(over.filter(({ state }) => state === 'succeeded').length <= schedule.keepSucceeded)
      assert.ok(over.filter(({ state }) => state !== 'succeeded').length <= schedule.keepFailed)
      // Liveness: when what runs has ended, nothing that is due is left waiting.
      for (const run of world.runs()) world.task(run.id, run.state === 'running' ? 'complete' : 'shutdown')
      for (let round = 0; round < 4; round += 1) world.plan(nowMs)
      const next = nextTime(parseCron(schedule.cron), timeZone(schedule.timeZone), world.schedule()!.handledUntilMs)
      assert.ok(next === null || next > nowMs)
    }),
    { numRuns: CASES },
  )
})

function timesBetween({ cron, timeZone: zone }: ScheduleSpec, fromMs: number, untilMs: number): number {
  let count = 0
  for (let at = nextTime(parseCron(cron), timeZone(zone), fromMs); at !== null && at <= untilMs; count += 1)
    at = nextTime(parseCron(cron), timeZone(zone), at)
  return count
}

/** A job whose plans are carried out in memory. */
function job(spec: JobSpec) {
  const runs = new Map<string, RunRecord>()
  const tasks = new Map<string, TaskRecord>()
  const made = new Set<string>()
  let [current, schedule, revision, state] = [spec, null as ScheduleRecord | null, 1, 'active' as JobState['state']]
  const tasksOf = (id: string) => [...tasks.values()].filter((task) => task.runId === id)
  const isLive = (task: TaskRecord) => task.status.state === 'running'
  return {
    made,
    runs: () => [...runs.values()],
    schedule: () => schedule,
    revise: () => (revision += 1),
    remove: () => (state = 'removing'),
    suspend: () => {
      const was = current.schedule!
      current = { ...current, schedule: { ...was, isSuspended: !was.isSuspended } }
    },
    underWay: () =>
      [...runs.values()].filter((run) => run.state === 'running' || tasksOf(run.id).some(isLive)).map(({ id }) => id),
    plan: (nowMs: number): number | null => {
      const sights = [...runs.values()].map((run) => ({
        run,
        job: current,
        mode: 'replicated-job' as const,
        tasks: tasksOf(run.id),
        nodes: [],
      }))
      const plan = planJob({ serviceId: 's', revision, job: current, state, schedule, runs: sights }, nowMs)
      for (const step of plan.steps) {
        if (step.type === 'make-run') {
          assert.ok(!made.has(step.run.id), 'one time is run twice')
          made.add(step.run.id)
        }
        if (step.type === 'make-run' || step.type === 'end-run') runs.set(step.run.id, step.run)
        if (step.type === 'forget-run') runs.delete(step.run.id)
        if (step.type === 'keep-schedule') schedule = step.schedule
        if (step.type === 'forget-schedule') schedule = null
      }
      return plan.nextMs
    },
    task: (
      runId: string,
      state: TaskRecord['status']['state'],
      { slot = 1, exitCode = 0, failures = 0 }: { slot?: number; exitCode?: number; failures?: number } = {},
    ) => {
      const id = `${runId}/${slot}`
      tasks.set(id, {
        id,
        serviceId: 's',
        revision,
        slot,
        nodeId: 'n',
        desiredState: state === 'shutdown' ? 'shutdown' : 'running',
        startAfterMs: 0,
        runId,
        placement: '',
        failures,
        createdAtMs: 0,
        updatedAtMs: 0,
        status: {
          state,
          sinceMs: 0,
          message: '',
          error: '',
          containerId: null,
          exitCode,
          isOomKilled: false,
          isReady: false,
          addresses: {},
          hostPorts: [],
        },
      })
    },
  }
}
