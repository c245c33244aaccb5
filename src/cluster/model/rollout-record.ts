/** How far the change from one revision to another came. Written after every step: whoever reads it can go on. */
export interface RolloutRecord {
  readonly from: number | null
  readonly to: number
  readonly state: 'running' | 'paused' | 'completed' | 'failed' | 'rolling-back' | 'rolled-back' | 'aborted'
  readonly startedAtMs: number
  readonly endedAtMs: number | null
  /** Why it is in this state, for people: `3 of 4 new tasks failed: exit code 1`. */
  readonly reason: string
  /** `failure`: it goes back because what was rolled out failed, and not because somebody said so. Absent: it was asked for. */
  readonly cause?: 'failure'
  /** Index in `canary.steps`, of a canary; of others 0. */
  readonly step: number
  readonly stepStartedAtMs: number
  /** Of the traffic, what the new revision gets; null: as many as it has tasks. */
  readonly weightPercent: number | null
  /** Ids of new tasks that failed within their time of proof. */
  readonly failedTasks: readonly string[]
  /** Somebody said that it may go on though a judgement would hold it. */
  readonly isPromoted: boolean
  /** The last judgements, youngest last: what was compared, and what came out. */
  readonly judgements: readonly Judgement[]
}

export interface Judgement {
  readonly atMs: number
  readonly step: number
  readonly verdict: 'good' | 'bad' | 'too-little'
  /** `error ratio 0.12 of 340 requests, at most 0.01 allowed`. */
  readonly reason: string
}
