/** How tasks of one revision come to be of the next. */
export interface RolloutSpec {
  readonly strategy: 'rolling' | 'blue-green' | 'canary'
  /** Tasks that are replaced at the same time; 0: all. */
  readonly parallelism: number
  /** Between two batches. */
  readonly delayMs: number
  /** `auto`: `start-first`, unless two tasks of it must not run at once (a volume with one writer, a host port, a container name). */
  readonly order: 'auto' | 'start-first' | 'stop-first'
  /** So long a new task is watched after it became ready, before it counts as good. */
  readonly monitorMs: number
  readonly failureAction: 'rollback' | 'pause' | 'continue'
  /** Of the new tasks, from 0 to 1: more than this failing is a failed rollout. */
  readonly maxFailureRatio: number
  /** Of the strategy `canary`; null otherwise. */
  readonly canary: CanarySpec | null
}

export interface CanarySpec {
  /** One after the other; after the last the new revision takes all. */
  readonly steps: readonly CanaryStep[]
  /** Requests that the new revision must have answered in a step before it is judged. */
  readonly minRequests: number
  /** Of its answers, from 0 to 1, those with 5xx or none. */
  readonly maxErrorRatio: number
  /** The percentile that is compared: 0.5, 0.9, 0.95 or 0.99. */
  readonly latencyPercentile: number
  /** As many times the old revision's latency. */
  readonly maxLatencyRatio: number
  /** True: somebody must say `promote` after the last step. */
  readonly isPromotedByHand: boolean
}

export interface CanaryStep {
  /** Of the requests, from 1 to 100, to the new revision. */
  readonly weightPercent: number
  /** At least so long, and until there were `minRequests`. */
  readonly holdMs: number
}

/** Checks beside Docker's own health check: each says when a task is taken for what. */
export interface ChecksSpec {
  /** Until it passes once the others wait. */
  readonly startup: CheckSpec | null
  /** While it fails the task gets no traffic. */
  readonly readiness: CheckSpec | null
  /** When it fails the task is replaced. */
  readonly liveness: CheckSpec | null
}

export interface CheckSpec {
  readonly probe: ProbeSpec
  readonly intervalMs: number
  readonly timeoutMs: number
  /** In a row, to be taken for failed. */
  readonly failures: number
  /** In a row, to be taken for good again. */
  readonly successes: number
  readonly initialDelayMs: number
}

export type ProbeSpec =
  | {
      readonly type: 'http'
      readonly port: number
      readonly path: string
      readonly host: string | null
      readonly headers: Readonly<Record<string, string>>
      /** From and to, both included. */
      readonly statuses: readonly [number, number]
    }
  | { readonly type: 'tcp'; readonly port: number }
  | { readonly type: 'command'; readonly command: readonly string[] }
