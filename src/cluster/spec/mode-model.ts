/** How many tasks a service has, and whether they are meant to end. */
export type ServiceMode = 'replicated' | 'global' | 'replicated-job' | 'global-job'

/** Of a service whose tasks are meant to end. */
export interface JobSpec {
  /** Tasks that have to end with 0. Of a `global-job`: one on each node, and this is ignored. */
  readonly completions: number
  /** Of them at the same time. */
  readonly parallelism: number
  /** From its start until all of it is killed and has failed; null: no bound. */
  readonly deadlineMs: number | null
  /** New attempts of one task after the first. */
  readonly retries: number
  /** null: it runs once for each revision. */
  readonly schedule: ScheduleSpec | null
}

/** Runs of a job at times of the clock on the wall. */
export interface ScheduleSpec {
  /** Five fields: minute, hour, day of month, month, day of week; lists, ranges, steps and names as in crontab(5). */
  readonly cron: string
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string
  /** What happens to a run that is due while one is under way. */
  readonly concurrency: 'allow' | 'forbid' | 'replace'
  /** A run that could not begin for so long (the daemon was down) is left out and counted as missed; null: it is made up for, once. */
  readonly startingDeadlineMs: number | null
  readonly isSuspended: boolean
  /** Runs whose tasks and logs are kept. */
  readonly keepSucceeded: number
  readonly keepFailed: number
}
