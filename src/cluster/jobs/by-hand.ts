import { parseCron, timeZone } from '#cluster/jobs/cron'
import type { RunRecord, ScheduleRecord } from '#cluster/model'

import { dueTimes } from './due-times.ts'
import { jobsError } from './errors.ts'
import { isUnderWay } from './judge-run.ts'
import { keptSchedule, MAX_RUNS_AT_ONCE, newRun } from './plan.ts'
import { jobName, runName, suspension, type JobRecords } from './views.ts'

/* What people ask of a job, as the records that it makes. All pure; what cannot be is thrown. */

/** A run now. What it writes of the schedule keeps the loop from making another one at the same moment. Errors: `job.run_under_way`, `job.not_possible`. */
export function runByHand(
  records: JobRecords,
  { id, by }: { readonly id: string; readonly by: string },
  nowMs: number,
): { run: RunRecord; schedule: ScheduleRecord | null } {
  const { service, spec, job, runs, tasks } = records
  const name = jobName(service, spec)
  if (service.state !== 'active')
    throw jobsError(
      'job.not_possible',
      `the service of the job ${name} is ${service.state === 'paused' ? 'paused' : 'being removed'}`,
    )
  const busy = runs.filter((run) => isUnderWay({ run, tasks: tasks.filter((task) => task.runId === run.id) }))
  const [first] = busy
  const mayBeBeside = job.schedule?.concurrency === 'allow' && busy.length < MAX_RUNS_AT_ONCE
  if (first !== undefined && !mayBeBeside)
    throw jobsError('job.run_under_way', `run ${runName(first)} of the job ${name} is under way`, {
      hint: `Wait until it is over, or end it: \`glovebox jobs cancel ${name} ${runName(first)}\`.`,
    })
  const isFirstToCome =
    job.schedule === null && !runs.some((run) => run.cause === 'revision' && run.revision === service.revision)
  if (isFirstToCome)
    throw jobsError('job.run_under_way', `the job ${name} is about to run by itself, for revision ${service.revision}`)
  const wanted = { serviceId: service.id, revision: service.revision, job }
  const run = newRun(wanted, { id, cause: 'manual', dueAtMs: nowMs, reason: `asked for by ${by}` }, nowMs)
  const schedule = job.schedule === null ? null : touched(records, nowMs)
  return { run, schedule }
}

function touched({ service, job, schedule }: JobRecords, nowMs: number): ScheduleRecord | null {
  if (job.schedule === null) return null
  return { ...keptSchedule({ serviceId: service.id, schedule }, job.schedule, nowMs), updatedAtMs: nowMs }
}

/** Errors: `job.run_is_over`. */
export function cancelledByHand({ service, spec }: JobRecords, run: RunRecord, by: string, nowMs: number): RunRecord {
  if (run.state === 'running') return { ...run, state: 'cancelled', reason: `cancelled by ${by}`, endedAtMs: nowMs }
  throw jobsError(
    'job.run_is_over',
    `run ${runName(run)} of the job ${jobName(service, spec)} ${run.state === 'cancelled' ? 'was' : 'has'} ${run.state} already`,
  )
}

/** Errors: `job.not_possible`. */
export function suspendedByHand(records: JobRecords, nowMs: number): ScheduleRecord {
  const before = touched(records, nowMs)
  if (before !== null) return { ...before, isSuspended: true }
  throw withoutSchedule(records)
}

/** What came while it was suspended is handled: a time that passed just now must not be run. Errors: `job.not_possible`. */
export function resumedByHand(records: JobRecords, nowMs: number): ScheduleRecord {
  const { service, spec, job, schedule } = records
  const before = touched(records, nowMs)
  if (before === null || job.schedule === null) throw withoutSchedule(records)
  const suspendedBy = suspension(job, schedule)
  if (suspendedBy === 'description')
    throw jobsError('job.not_possible', `the description of the job ${jobName(service, spec)} says that it is suspended`, {
      hint: 'Take "suspended" out of its schedule and apply it again; in an environment, set SERVICE.suspended=false.',
    })
  const { isSuspended: _suspended, ...rest } = before
  if (suspendedBy === null) return rest
  const { lastMs, count } = dueTimes(parseCron(job.schedule.cron), timeZone(job.schedule.timeZone), before.handledUntilMs, nowMs)
  return lastMs === null ? rest : { ...rest, handledUntilMs: lastMs, missed: rest.missed + count }
}

function withoutSchedule({ service, spec }: JobRecords) {
  return jobsError('job.not_possible', `the job ${jobName(service, spec)} has no schedule: it runs once for each revision`)
}
