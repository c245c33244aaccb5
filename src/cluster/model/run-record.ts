/**
 * One run of a job, under `run/SERVICE/ID`. `jobs` makes it, ends it and in the end deletes it; while it is `running`, `services` keeps its tasks (those with its id in
 * `runId`) coming. Tasks of a run that is not `running` are told to shut down, those of one that is gone to be removed.
 */
export interface RunRecord {
  /** Unique over the whole cluster. Of a scheduled run made from the service and the time it is for, so that no time gets two. */
  readonly id: string
  readonly serviceId: string
  /** What its tasks are made from; a newer revision changes no run that has begun. */
  readonly revision: number
  /** `revision`: of a job without a schedule, once for each revision. */
  readonly cause: 'schedule' | 'revision' | 'manual'
  /** The time of the schedule that it is for; of other causes when it was asked for. */
  readonly dueAtMs: number
  readonly createdAtMs: number
  /** Not over by then: it failed. null: no bound. */
  readonly deadlineAtMs: number | null
  /**
   * From `running` to one of the others, and never back. `succeeded`: as many slots as wanted have a task that ended with 0. `failed`: a slot has no attempts left, or
   * the deadline passed. `cancelled`: by a newer run (`replace`), by somebody, or because its service goes.
   */
  readonly state: 'running' | 'succeeded' | 'failed' | 'cancelled'
  readonly endedAtMs: number | null
  /** Why it is in this state, for people: `slot 2 failed 4 times: exit code 1`. */
  readonly reason: string
}

/** How far a schedule was followed, under `schedule/SERVICE`: what makes each time be handled once. */
export interface ScheduleRecord {
  readonly serviceId: string
  /** Every time of the schedule up to this one was run, left out or counted. */
  readonly handledUntilMs: number
  /** The schedule that it was followed by: a changed one starts afresh. */
  readonly cron: string
  readonly timeZone: string
  /** Times without a run because the daemon was not there, or the job was suspended, or a deadline for starting passed. */
  readonly missed: number
  /** Times without a run because another one was under way (`forbid`). */
  readonly skipped: number
  /** What came of the last time, for people; empty before the first. */
  readonly note: string
  /** Somebody holds it by hand, whatever its description says: its times are counted as missed. Absent: nobody does. */
  readonly isSuspended?: boolean
  readonly updatedAtMs: number
}
