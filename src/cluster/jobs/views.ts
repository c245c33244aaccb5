import { isKind } from '#base'
import { nextTime, parseCron, timeZone } from '#cluster/jobs/cron'
import { isEnded, type RunRecord, type ScheduleRecord, type ServiceRecord, type TaskRecord } from '#cluster/model'
import type { JobSpec, ScheduleSpec, ServiceSpec } from '#cluster/spec'

import { isUnderWay } from './judge-run.ts'
import type { JobView, RunTaskView, RunView } from './port.ts'

/** All that is written down of one job. */
export interface JobRecords {
  readonly service: ServiceRecord
  readonly spec: ServiceSpec
  readonly job: JobSpec
  readonly schedule: ScheduleRecord | null
  readonly runs: readonly RunRecord[]
  /** Of its runs. */
  readonly tasks: readonly TaskRecord[]
}

export function jobName({ stack, name }: ServiceRecord, { name: service }: ServiceSpec): string {
  return stack === null ? name : `${stack}/${service}`
}

/** Pure. */
export function jobView(records: JobRecords, nowMs: number): JobView {
  const { service, spec, job, schedule } = records
  const runs = runViews(records)
  const suspendedBy = suspension(job, schedule)
  const state = service.state !== 'active' ? service.state : suspendedBy !== null ? 'suspended' : 'active'
  return {
    serviceId: service.id,
    name: jobName(service, spec),
    stack: service.stack,
    service: service.stack === null ? service.name : spec.name,
    mode: spec.mode,
    job,
    state,
    suspendedBy,
    nextAtMs: state !== 'active' || job.schedule === null ? null : nextRun(job.schedule, schedule, nowMs),
    missed: schedule?.missed ?? 0,
    skipped: schedule?.skipped ?? 0,
    note: schedule?.note ?? '',
    underWay: runs.filter((run) => isBusy(run, records.tasks)).map(({ name }) => name),
    last: runs[0] ?? null,
  }
}

function isBusy(run: RunRecord, tasks: readonly TaskRecord[]): boolean {
  return isUnderWay({ run, tasks: tasks.filter((task) => task.runId === run.id) })
}

export function suspension(job: JobSpec, schedule: ScheduleRecord | null): JobView['suspendedBy'] {
  if (job.schedule === null) return null
  if (job.schedule.isSuspended) return 'description'
  return schedule?.isSuspended === true ? 'hand' : null
}

/** One that cannot be read never comes: the schedule's note says why. */
function nextRun(spec: ScheduleSpec, schedule: ScheduleRecord | null, nowMs: number): number | null {
  try {
    const isSame = schedule !== null && schedule.cron === spec.cron && schedule.timeZone === spec.timeZone
    const afterMs = isSame ? Math.max(nowMs, schedule.handledUntilMs) : nowMs
    return nextTime(parseCron(spec.cron), timeZone(spec.timeZone), afterMs)
  } catch (error) {
    if (isKind(error, 'invalid')) return null
    throw error
  }
}

/** The youngest first. */
export function runViews({ runs, tasks }: Pick<JobRecords, 'runs' | 'tasks'>): readonly RunView[] {
  const byRun = Map.groupBy(tasks, (task) => task.runId)
  return runs
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.dueAtMs - a.dueAtMs || (a.id < b.id ? 1 : -1))
    .map((run) => runView(run, byRun.get(run.id) ?? []))
}

export function runName({ id, serviceId }: Pick<RunRecord, 'id' | 'serviceId'>): string {
  return id.startsWith(`${serviceId}.`) ? id.slice(serviceId.length + 1) : id
}

export function runView(run: RunRecord, tasks: readonly TaskRecord[]): RunView {
  const ordered = tasks.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1))
  const starts = ordered.flatMap(({ status }) => (typeof status.startedAtMs === 'number' ? [status.startedAtMs] : []))
  const byPlace = Map.groupBy(ordered, (task) => task.slot ?? task.nodeId)
  return {
    ...run,
    name: runName(run),
    startedAtMs: starts.length === 0 ? null : Math.min(...starts),
    tookMs: run.endedAtMs === null ? null : Math.max(0, run.endedAtMs - run.createdAtMs),
    // Of a slot whose oldest attempts are forgotten the youngest knows how many there were.
    attempts: [...byPlace.values()].reduce((sum, own) => sum + Math.max(own.length, attemptOf(own.at(-1))), 0),
    exitCode: run.state === 'succeeded' ? 0 : run.state === 'failed' ? failedWith(ordered) : null,
    tasks: ordered.map(taskView),
  }
}

function attemptOf(task: TaskRecord | undefined): number {
  return task === undefined ? 0 : (task.failures ?? 0) + 1
}

function failedWith(ordered: readonly TaskRecord[]): number | null {
  const codes = ordered.flatMap(({ status }) => (status.exitCode === null || status.exitCode === 0 ? [] : [status.exitCode]))
  return codes.at(-1) ?? null
}

function taskView(task: TaskRecord): RunTaskView {
  const { id, slot, nodeId, status } = task
  return {
    id,
    slot,
    nodeId,
    attempt: attemptOf(task),
    state: status.state,
    isEnded: isEnded(status.state),
    exitCode: status.exitCode,
    error: status.error,
    containerId: status.containerId,
  }
}
