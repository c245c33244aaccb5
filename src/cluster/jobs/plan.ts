import { isKind } from '#base'
import type { RunRecord, ScheduleRecord } from '#cluster/model'
import { nextTime, parseCron, timeZone, type Cron, type TimeZone } from '#cluster/jobs/cron'
import type { JobSpec, ScheduleSpec } from '#cluster/spec'

import { dueTimes } from './due-times.ts'
import { isUnderWay, judgeRun, type RunSight } from './judge-run.ts'
import { planRetention } from './retention.ts'
import type { JobPlan, JobStep } from './steps.ts'

/** One job, with everything that its plan depends on. */
export interface JobState {
  readonly serviceId: string
  /** The wanted revision, and what it says; null: it is no job (any more). */
  readonly revision: number
  readonly job: JobSpec | null
  readonly state: 'active' | 'paused' | 'removing'
  /** Null: no schedule was followed yet. */
  readonly schedule: ScheduleRecord | null
  readonly runs: readonly RunSight[]
}

/** Runs of one job at the same time (`allow`): more are a job that takes longer than the time between two runs. */
export const MAX_RUNS_AT_ONCE = 50

/** What to do now. Carried out, there is nothing left to do at the same time but to forget what has just ended. Pure. */
export function planJob(state: JobState, nowMs: number): JobPlan {
  const ended = state.runs.flatMap(({ run }) => endOf(state, run, nowMs))
  const now = new Map(ended.map((run) => [run.id, run]))
  const runs = state.runs.map((sight) => ({ ...sight, run: now.get(sight.run.id) ?? sight.run }))
  const due = planDue({ ...state, runs }, nowMs)
  const after = new Map([...now, ...due.cancelled.map((run) => [run.id, run] as const)])
  const steps: JobStep[] = [...after.values()].map((run) => ({ type: 'end-run', run }))
  if (due.made !== null) steps.push({ type: 'make-run', run: due.made })
  if (due.schedule !== null) steps.push({ type: 'keep-schedule', schedule: due.schedule })
  if (state.schedule !== null && scheduleOf(state) === null) steps.push({ type: 'forget-schedule', schedule: state.schedule })
  steps.push(...planRetention(state, new Set(after.keys())))
  const deadlines = runs.flatMap(({ run }) => (run.state === 'running' && run.deadlineAtMs !== null ? [run.deadlineAtMs] : []))
  const made = due.made?.deadlineAtMs ?? null
  const times = [...deadlines, ...(made === null ? [] : [made]), ...(due.nextMs === null ? [] : [due.nextMs])]
  return { steps, nextMs: times.length === 0 ? null : Math.min(...times) }

  function endOf({ state: serviceState, runs: sights }: JobState, run: RunRecord, atMs: number): readonly RunRecord[] {
    const sight = sights.find((one) => one.run === run)
    if (run.state !== 'running' || sight === undefined) return []
    if (serviceState === 'removing') return [over(run, 'cancelled', 'its service is removed', atMs)]
    if (run.cause === 'revision' && (run.revision !== state.revision || state.job === null))
      return [over(run, 'cancelled', `revision ${state.revision} takes the place of revision ${run.revision}`, atMs)]
    const verdict = judgeRun(sight, atMs)
    return verdict === null ? [] : [over(run, verdict.state, verdict.reason, atMs)]
  }
}

interface Due {
  readonly made: RunRecord | null
  readonly cancelled: readonly RunRecord[]
  readonly schedule: ScheduleRecord | null
  readonly nextMs: number | null
}

const NOTHING: Due = { made: null, cancelled: [], schedule: null, nextMs: null }

function planDue(state: JobState, nowMs: number): Due {
  if (state.job === null || state.state === 'removing') return NOTHING
  const schedule = scheduleOf(state)
  return schedule === null ? planOnce(state, nowMs) : planScheduled(state, schedule, nowMs)
}

/** Without a schedule it runs once for each revision, when no other run of it has tasks any more. */
function planOnce(state: JobState, nowMs: number): Due {
  const id = `${state.serviceId}.r${state.revision}`
  if (state.state === 'paused' || state.runs.some(({ run }) => run.id === id)) return NOTHING
  if (state.runs.some(isUnderWay)) return NOTHING
  return {
    ...NOTHING,
    made: newRun(state, { id, cause: 'revision', dueAtMs: nowMs, reason: `revision ${state.revision}` }, nowMs),
  }
}

function planScheduled(state: JobState, spec: ScheduleSpec, nowMs: number): Due {
  const kept = keptSchedule(state, spec, nowMs)
  const isSame = kept === state.schedule
  let times: readonly [Cron, TimeZone]
  try {
    times = [parseCron(spec.cron), timeZone(spec.timeZone)]
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error
    // It was not read by this version, or not checked: whoever asks why nothing runs finds it here.
    return { ...NOTHING, schedule: kept.note === error.message ? null : { ...kept, note: error.message, updatedAtMs: nowMs } }
  }
  const [cron, zone] = times
  const { lastMs, count } = dueTimes(cron, zone, kept.handledUntilMs, nowMs)
  const nextMs = nextTime(cron, zone, nowMs)
  if (lastMs === null) return { ...NOTHING, schedule: isSame ? null : kept, nextMs }
  const handled = (note: string, counts: Partial<Pick<ScheduleRecord, 'missed' | 'skipped'>>): Due => ({
    ...NOTHING,
    schedule: { ...kept, ...counts, handledUntilMs: lastMs, note, updatedAtMs: nowMs },
    nextMs,
  })
  const at = new Date(lastMs).toISOString()
  if (spec.isSuspended || kept.isSuspended === true || state.state === 'paused')
    return handled(`${at} was left out: the job is suspended`, { missed: kept.missed + count })
  if (spec.startingDeadlineMs !== null && nowMs - lastMs > spec.startingDeadlineMs)
    return handled(`${at} was missed by ${Math.round((nowMs - lastMs) / 1000)} s`, { missed: kept.missed + count })
  const missed = kept.missed + count - 1
  const live = state.runs.filter(isUnderWay)
  if (live.length > 0 && spec.concurrency === 'forbid')
    return handled(`${at} was skipped: ${live[0]?.run.id} is under way`, { missed, skipped: kept.skipped + 1 })
  if (live.length >= MAX_RUNS_AT_ONCE)
    return handled(`${at} was skipped: ${live.length} runs are under way`, { missed, skipped: kept.skipped + 1 })
  if (live.length > 0 && spec.concurrency === 'replace') {
    // The run is due until it can begin: when the tasks of the others have ended.
    const cancelled = live.flatMap(({ run }) =>
      run.state === 'running' ? [over(run, 'cancelled', `the run of ${at} takes its place`, nowMs)] : [],
    )
    return { ...NOTHING, cancelled, schedule: isSame ? null : kept, nextMs }
  }
  const id = `${state.serviceId}.${Math.floor(lastMs / 60_000)}`
  const reason = count === 1 ? `due at ${at}` : `due at ${at}; ${count - 1} before it were missed`
  return {
    ...handled(`${at} began ${Math.round((nowMs - lastMs) / 1000)} s after its time`, { missed }),
    made: newRun(state, { id, cause: 'schedule', dueAtMs: lastMs, reason }, nowMs),
  }
}

/** How far it was followed; one that is new, or was changed, begins now. Who suspended it suspends it still. */
export function keptSchedule(
  { serviceId, schedule }: Pick<JobState, 'serviceId' | 'schedule'>,
  spec: ScheduleSpec,
  nowMs: number,
): ScheduleRecord {
  const { cron, timeZone } = spec
  if (schedule !== null && schedule.cron === cron && schedule.timeZone === timeZone) return schedule
  const [missed, skipped] = [schedule?.missed ?? 0, schedule?.skipped ?? 0]
  const held = schedule?.isSuspended === true ? { isSuspended: true } : {}
  return { serviceId, handledUntilMs: nowMs, cron, timeZone, missed, skipped, note: '', updatedAtMs: nowMs, ...held }
}

function scheduleOf(state: JobState): ScheduleSpec | null {
  return state.state === 'removing' ? null : (state.job?.schedule ?? null)
}

/** A run that begins now. Somebody who wants one at once makes it with the cause `manual`. */
export function newRun(
  { serviceId, revision, job }: Pick<JobState, 'serviceId' | 'revision' | 'job'>,
  { id, cause, dueAtMs, reason }: Pick<RunRecord, 'id' | 'cause' | 'dueAtMs' | 'reason'>,
  nowMs: number,
): RunRecord {
  const deadlineAtMs = job === null || job.deadlineMs === null ? null : nowMs + job.deadlineMs
  return { id, serviceId, revision, cause, dueAtMs, createdAtMs: nowMs, deadlineAtMs, state: 'running', endedAtMs: null, reason }
}

function over(run: RunRecord, state: RunRecord['state'], reason: string, nowMs: number): RunRecord {
  return { ...run, state, reason, endedAtMs: nowMs }
}
