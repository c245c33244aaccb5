import type { RunView } from '#cluster/jobs'

export type { JobView, RunTaskView, RunView } from '#cluster/jobs'

/** One line of `GET /glovebox/v1/jobs/JOB/output/RUN`. */
export type RunEvent =
  /** The run as it is: first of all, and after each change of it or its tasks. */
  { readonly kind: 'run'; readonly run: RunView } | RunOutput

/** A line that one of its tasks wrote. */
export interface RunOutput {
  readonly kind: 'output'
  readonly taskId: string
  /** null: of a global job. */
  readonly slot: number | null
  readonly attempt: number
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  /** Base64, with its line end if it had one. */
  readonly line: string
}
