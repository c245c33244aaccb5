/**
 * The states of a task, in order: a task goes from left to right and never back, one step at a time but for the end, which may come from anywhere.
 * `new` to `assigned` are the cluster's to write, the others the node's. The names and their order are those of Docker's swarm mode.
 */
export const TASK_STATES = [
  'new',
  'pending',
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
  'complete',
  'shutdown',
  'failed',
  'rejected',
  'remove',
  'orphaned',
] as const
export type TaskState = (typeof TASK_STATES)[number]

export function isAtLeast(state: TaskState, least: TaskState): boolean {
  return TASK_STATES.indexOf(state) >= TASK_STATES.indexOf(least)
}

/** It will never run again: another task takes its place. */
export function isEnded(state: TaskState): boolean {
  return isAtLeast(state, 'complete')
}

/** One container that is wanted, on its way from wish to end. It is never used again: what takes its place is another task. */
export interface TaskRecord {
  readonly id: string
  readonly serviceId: string
  readonly revision: number
  /** From 1; null: of a global service, whose tasks go by node. */
  readonly slot: number | null
  /** null: not placed yet. */
  readonly nodeId: string | null
  /** How far the cluster lets it go: `ready` holds it before its start, `shutdown` and `remove` end it. */
  readonly desiredState: 'ready' | 'running' | 'shutdown' | 'remove'
  readonly status: TaskStatus
  /** Not before: of a task in the place of one that crashed. 0: at once. */
  readonly startAfterMs: number
  /** Ends in a row of its slot before it; absent: none. */
  readonly failures?: number
  /** Why it was made, and then why it was told to end: one line for people. */
  readonly reason?: string
  /** Of a run of a job; null: it is none. */
  readonly runId: string | null
  /** Why the scheduler put it where it is, or cannot: one line for people. */
  readonly placement: string
  /** Of a task that the scheduler could not place: what stood against it, the filter with the most nodes first. Absent when it is placed. */
  readonly refusals?: readonly PlacementRefusal[]
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

/** Why nodes were not taken for a task: each node is counted by the first filter that refused it. */
export interface PlacementRefusal {
  readonly filter:
    | 'ready'
    | 'availability'
    | 'constraint'
    | 'platform'
    | 'cpu'
    | 'memory'
    | 'host-port'
    | 'volume'
    | 'max-per-node'
    | 'affinity'
  readonly nodes: number
  /** `node.labels.zone == a: 3 nodes have b, 1 has none`. */
  readonly reason: string
  /** What would help: `add a node with the label zone=a, or take the constraint away`. */
  readonly advice: string
}

/** What the node says. */
export interface TaskStatus {
  readonly state: TaskState
  /** Since when it is in this state. */
  readonly sinceMs: number
  /** What it is doing, for people. */
  readonly message: string
  /** Why it failed; empty when it did not. */
  readonly error: string
  /** How often in a row the node could not do what is to be done next; absent: never. */
  readonly failedSteps?: number
  readonly containerId: string | null
  readonly exitCode: number | null
  readonly isOomKilled: boolean
  /** Passed its start-up and readiness checks: it gets traffic. */
  readonly isReady: boolean
  /** Since when without a break; null or absent: it is not. */
  readonly readySinceMs?: number | null
  /** What its own health check says, with the words of the last one; absent: it has none. */
  readonly health?: 'starting' | 'healthy' | 'unhealthy'
  readonly healthOutput?: string
  /** When its process began; null or absent: it did not. */
  readonly startedAtMs?: number | null
  /** Address in each network that it is in, by the network's name. */
  readonly addresses: Readonly<Record<string, string>>
  /** Ports that the node published for it. */
  readonly hostPorts: readonly PublishedTaskPort[]
}

export interface PublishedTaskPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly containerPort: number
  readonly hostPort: number
}
