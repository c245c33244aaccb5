import type { RevisionRecord, ServiceRecord, TaskRecord } from '#cluster/model'

import type { NodeTask } from './node-port.ts'

/** A task of this node with what it is made from. */
export interface AssignedTask {
  readonly task: TaskRecord
  readonly revision: RevisionRecord
  readonly service: ServiceRecord
  /** Of the task, those that the router sends to. */
  readonly routedPorts: readonly number[]
}

/** What the agent remembers between looks. Lost with it: drains and checks begin anew then. */
export interface AgentMemory {
  /** Since when a task is out of the routes, by its id. */
  readonly draining: ReadonlyMap<string, number>
  /** Steps of a task that failed, by its id. */
  readonly failures: ReadonlyMap<string, StepFailure>
  /** What the checks say, by task id; absent: it has none. */
  readonly checks: ReadonlyMap<string, CheckVerdict>
}

export interface StepFailure {
  readonly type: string
  readonly failures: number
  readonly atMs: number
  readonly nextAtMs: number
  readonly reason: string
  /** The next try would not do better. Absent: it may. */
  readonly isFinal?: boolean
}

export interface CheckVerdict {
  readonly isStarted: boolean
  readonly isReady: boolean
  readonly isAlive: boolean
  /** Of the check that holds it up; empty: none does. */
  readonly output: string
}

/** Everything that a plan of the agent is made from. */
export interface AgentSnapshot {
  readonly nowMs: number
  readonly tasks: readonly AssignedTask[]
  /** Every container of the node. */
  readonly containers: readonly NodeTask[]
  /** Open connections through the router, by task id. */
  readonly connections: ReadonlyMap<string, number>
  readonly memory: AgentMemory
  /** The router was told of the task as it stands in its record. */
  readonly isRoutedAsTold: (id: string) => boolean
  /** Tasks, and containers without one, that a step under way touches. */
  readonly busy: ReadonlySet<string>
  /** Ids of all tasks that the cluster knows, of this node or not. */
  readonly isKnownTask: (id: string) => boolean
}
