import type { RunRecord } from '#cluster/model'
import type { JobSpec, ServiceMode } from '#cluster/spec'

/**
 * Jobs as people look at them and handle them. What a call returned from is written down; the loops do the work. A `ref` is the name of a service (`shop_backup`, or
 * `shop/backup` of the application shop), its id, or the beginning of exactly one id; a `run` is its name within the job, or its whole id. Errors of all that take a
 * `ref`: `job.not_found`, `job.ambiguous`, `job.is_no_job`; of a `run`: `job.run_not_found`.
 */
export interface Jobs {
  /** By name. */
  list(): Promise<readonly JobView[]>
  get(ref: string): Promise<JobView>
  /** Those that are kept, the youngest first. */
  history(ref: string): Promise<readonly RunView[]>
  runOf(ref: string, run: string): Promise<RunView>
  /**
   * A run now, whatever the schedule says, also of a job that is suspended. Errors: `job.run_under_way` unless runs of it may be at the same time,
   * `job.not_possible` for one whose service is paused or being removed.
   */
  run(ref: string, by: string): Promise<RunView>
  /** Its tasks are told to end. Errors: `job.run_is_over`. */
  cancel(ref: string, run: string, by: string): Promise<RunView>
  /** Its times pass without runs, and are counted as missed, until `resume`. Errors: `job.not_possible` without a schedule. */
  suspend(ref: string): Promise<JobView>
  /** From the next time on. Errors: `job.not_possible` without a schedule, or when the job's own description suspends it. */
  resume(ref: string): Promise<JobView>
  /** The run as it is, then after each change of it or its tasks; ends when it is over and none of its tasks is left. */
  follow(ref: string, run: string, signal: AbortSignal): AsyncIterable<RunView>
}

export interface JobView {
  readonly serviceId: string
  /** `shop/backup`, or the service's own name where it stands alone. */
  readonly name: string
  readonly stack: string | null
  readonly service: string
  readonly mode: ServiceMode
  readonly job: JobSpec
  /** `suspended`: its times pass without runs. `paused`, `removing`: its service is. */
  readonly state: 'active' | 'suspended' | 'paused' | 'removing'
  /** Who suspends it: its own description, or somebody by hand; null: nobody. */
  readonly suspendedBy: 'description' | 'hand' | null
  /** When the next run is due; null: without a schedule, or suspended. */
  readonly nextAtMs: number | null
  /** Times without a run. */
  readonly missed: number
  readonly skipped: number
  /** What came of the last time of the schedule; empty: there was none. */
  readonly note: string
  /** Names of runs that are not over, or have tasks that are not. */
  readonly underWay: readonly string[]
  /** The youngest run; null: none is known. */
  readonly last: RunView | null
}

export interface RunView extends RunRecord {
  /** What tells it from the other runs of its job. */
  readonly name: string
  /** When its first process began; null: none did. */
  readonly startedAtMs: number | null
  /** From its beginning to its end; null: it is not over. */
  readonly tookMs: number | null
  /** Containers that were begun, of all of its slots. */
  readonly attempts: number
  /** 0 when it succeeded; of one that failed that of the youngest task that did; null: there is none. */
  readonly exitCode: number | null
  /** Those whose records are kept, the oldest first. */
  readonly tasks: readonly RunTaskView[]
}

export interface RunTaskView {
  readonly id: string
  /** null: of a global job, which goes by node. */
  readonly slot: number | null
  readonly nodeId: string | null
  /** From 1. */
  readonly attempt: number
  readonly state: string
  readonly isEnded: boolean
  readonly exitCode: number | null
  readonly error: string
  readonly containerId: string | null
}
