import type { RunRecord, ScheduleRecord } from '#cluster/model'

/** What is to be written for one job. All of it in one transaction. */
export type JobStep =
  | { readonly type: 'make-run'; readonly run: RunRecord }
  | { readonly type: 'end-run'; readonly run: RunRecord }
  | { readonly type: 'forget-run'; readonly run: RunRecord }
  | { readonly type: 'keep-schedule'; readonly schedule: ScheduleRecord }
  | { readonly type: 'forget-schedule'; readonly schedule: ScheduleRecord }

export interface JobPlan {
  readonly steps: readonly JobStep[]
  /** When to look again though nothing changed; null: there is no such time. */
  readonly nextMs: number | null
}
