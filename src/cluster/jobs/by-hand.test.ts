import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isKind } from '#base'
import { nextTime, parseCron, timeZone } from '#cluster/jobs/cron'
import type { RunRecord, ScheduleRecord, ServiceRecord, TaskRecord } from '#cluster/model'
import { PLAIN_SERVICE, type JobSpec, type ScheduleSpec, type ServiceSpec } from '#cluster/spec'

import { cancelledByHand, resumedByHand, runByHand, suspendedByHand } from './by-hand.ts'
import { isUnderWay } from './judge-run.ts'
import { planJob } from './plan.ts'
import type { JobRecords } from './views.ts'

const CASES = Number(process.env['GLOVEBOX_JOB_CASES'] ?? 60)
const MINUTE_MS = 60_000
const START = Date.parse('2026-03-28T22:00:30Z')

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('wait' as const), minutes: fc.constantFrom(1, 7, 30, 61, 600) }) },
  // Nobody looks between the two, nor after it before the next thing that happens.
  { weight: 2, arbitrary: fc.record({ type: fc.constant('hold' as const), minutes: fc.constantFrom(11, 61, 700) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('task' as const),
      state: fc.constantFrom<TaskRecord['status']['state']>('running', 'complete', 'failed', 'shutdown'),
      which: fc.nat(5),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ type: 'run' as const }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('cancel' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ type: 'suspend' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'resume' as const }) },
)
const schedule = fc.record({
  cron: fc.constantFrom('*/10 * * * *', '0 * * * *', '30 2 * * *'),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
  concurrency: fc.constantFrom<ScheduleSpec['concurrency']>('allow', 'forbid', 'replace'),
  startingDeadlineMs: fc.constantFrom(null, 120_000),
  isSuspended: fc.constant(false),
  keepSucceeded: fc.nat(3),
  keepFailed: fc.nat(2),
})

test('whatever people ask for beside the schedule, each time counts once, what forbids is never twice, and what has ended stays', () => {
  fc.assert(
    fc.property(schedule, fc.array(action, { maxLength: 40 }), (spec, story) => {
      const world = job({ completions: 1, parallelism: 1, deadlineMs: null, retries: 0, schedule: spec })
      world.plan()
      for (const step of story) {
        const before = new Map(world.runs().map((run) => [run.id, run]))
        world.act(step)
        if (step.type === 'hold') continue
        world.plan()
        if (spec.concurrency !== 'allow') assert.ok(world.underWay().length <= 1, `at once: ${world.underWay().join(', ')}`)
        for (const run of world.runs()) {
          const old = before.get(run.id)
          if (old !== undefined && old.state !== 'running') assert.deepEqual(run, old, 'what has ended changes')
        }
      }
      world.endAll()
      for (let round = 0; round < 4; round += 1) world.plan()
      const kept = world.schedule()
      assert.equal(world.scheduled() + kept.missed + kept.skipped, timesBetween(spec, START, kept.handledUntilMs))
      const next = nextTime(parseCron(spec.cron), timeZone(spec.timeZone), kept.handledUntilMs)
      assert.ok(next === null || next > world.nowMs(), 'a time is left waiting')
    }),
    { numRuns: CASES },
  )
})

type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

/** A job whose plans are carried out in memory, and of which somebody asks this and that. */
function job(spec: JobSpec) {
  const runs = new Map<string, RunRecord>()
  const tasks = new Map<string, TaskRecord>()
  let [nowMs, made, byHand] = [START, 0, 0]
  let kept: ScheduleRecord | null = null
  const tasksOf = (id: string) => [...tasks.values()].filter((task) => task.runId === id)
  const sights = () =>
    [...runs.values()].map((run) => ({ run, job: spec, mode: 'replicated-job' as const, tasks: tasksOf(run.id), nodes: [] }))
  const records = (): JobRecords => ({
    service: { id: 's', name: 's', stack: null, revision: 1, state: 'active' } as ServiceRecord,
    spec: { ...PLAIN_SERVICE, name: 's', mode: 'replicated-job', job: spec } as unknown as ServiceSpec,
    job: spec,
    schedule: kept,
    runs: [...runs.values()],
    tasks: [...tasks.values()],
  })
  const runOf = (which: number) => [...runs.values()][which % Math.max(1, runs.size)]
  const setTask = (run: RunRecord, state: TaskRecord['status']['state']) => {
    const status = { state, error: '', exitCode: state === 'failed' ? 1 : 0, isOomKilled: false }
    const desiredState = run.state === 'running' ? 'running' : 'shutdown'
    tasks.set(run.id, {
      id: run.id,
      serviceId: 's',
      slot: 1,
      nodeId: 'n',
      runId: run.id,
      desiredState,
      status,
      createdAtMs: 0,
    } as TaskRecord)
  }
  const act = (step: Action) => {
    switch (step.type) {
      case 'wait':
        nowMs += step.minutes * MINUTE_MS
        return
      case 'hold':
        kept = suspendedByHand(records(), nowMs)
        nowMs += step.minutes * MINUTE_MS
        kept = resumedByHand(records(), nowMs)
        return
      case 'task': {
        const run = runOf(step.which)
        const isOver = run !== undefined && tasksOf(run.id).some(({ status }) => status.state !== 'running')
        if (run !== undefined && !isOver && !(run.state !== 'running' && tasksOf(run.id).length === 0)) setTask(run, step.state)
        return
      }
      case 'run': {
        const asked = runByHand(records(), { id: `s.m${(byHand += 1)}`, by: 'ann' }, nowMs)
        runs.set(asked.run.id, asked.run)
        kept = asked.schedule
        return
      }
      case 'cancel': {
        const run = runOf(step.which)
        if (run !== undefined) runs.set(run.id, cancelledByHand(records(), run, 'ann', nowMs))
        return
      }
      case 'suspend':
        kept = suspendedByHand(records(), nowMs)
        return
      case 'resume':
        kept = resumedByHand(records(), nowMs)
    }
  }
  return {
    nowMs: () => nowMs,
    runs: () => [...runs.values()],
    scheduled: () => made,
    schedule: () => kept!,
    underWay: () => sights().flatMap((sight) => (isUnderWay(sight) ? [sight.run.id] : [])),
    act: (step: Action) => {
      try {
        act(step)
      } catch (error) {
        if (!isKind(error, 'conflict')) throw error
      }
    },
    endAll: () => {
      for (const run of runs.values())
        if (run.state === 'running' || tasks.has(run.id)) setTask(run, run.state === 'running' ? 'complete' : 'shutdown')
    },
    plan: () => {
      for (const step of planJob(
        { serviceId: 's', revision: 1, job: spec, state: 'active', schedule: kept, runs: sights() },
        nowMs,
      ).steps) {
        if (step.type === 'make-run') made += 1
        if (step.type === 'make-run' || step.type === 'end-run') runs.set(step.run.id, step.run)
        if (step.type === 'forget-run') {
          runs.delete(step.run.id)
          tasks.delete(step.run.id)
        }
        if (step.type === 'keep-schedule') kept = step.schedule
      }
    },
  }
}

function timesBetween({ cron, timeZone: zone }: ScheduleSpec, fromMs: number, untilMs: number): number {
  let count = 0
  for (let at = nextTime(parseCron(cron), timeZone(zone), fromMs); at !== null && at <= untilMs; count += 1)
    at = nextTime(parseCron(cron), timeZone(zone), at)
  return count
}
