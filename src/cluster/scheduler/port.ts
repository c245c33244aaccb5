import type { PlacementRefusal } from '#cluster/model'
import type { AffinitySpec, PlacementConstraint, ServicePortSpec } from '#cluster/spec'

/** What a task needs of a node. Tasks of one service and revision are one group: what holds of one holds of all. */
export interface TaskGroup {
  readonly serviceId: string
  readonly serviceName: string
  readonly revision: number
  readonly priority: number
  readonly nanoCpus: number
  readonly memoryBytes: number
  readonly constraints: readonly PlacementConstraint[]
  readonly platforms: readonly { readonly os: string; readonly architecture: string }[]
  /** Label keys, the widest first. */
  readonly spread: readonly string[]
  /** Services by their names in the whole cluster, as `serviceName` is. */
  readonly affinities: readonly AffinitySpec[]
  /** 0: no bound. */
  readonly maxPerNode: number
  readonly hostPorts: readonly Pick<ServicePortSpec, 'protocol' | 'published' | 'hostIp'>[]
  /** Volumes that it uses: the task must go where they are. Those that are nowhere yet come to be where the first task goes. */
  readonly volumes: readonly string[]
}

export interface PendingTask {
  readonly id: string
  readonly group: TaskGroup
  /** Of a global service: this node or none. */
  readonly onlyNode: string | null
}

/** A node with what runs on it, as the scheduler counts. */
export interface SchedulableNode {
  readonly id: string
  readonly isReady: boolean
  readonly availability: 'active' | 'pause' | 'drain'
  readonly hostname: string
  readonly role: 'worker' | 'manager'
  readonly platform: { readonly os: string; readonly architecture: string }
  readonly labels: Readonly<Record<string, string>>
  readonly engineLabels: Readonly<Record<string, string>>
  readonly address: string
  readonly nanoCpus: number
  readonly memoryBytes: number
  /** Volumes that are pinned here. */
  readonly volumes: readonly string[]
}

/** A task that has its node already. */
export interface PlacedTask {
  readonly id: string
  readonly nodeId: string
  readonly group: TaskGroup
  /** It was told to end: what it holds is not free yet, but whoever needs it may wait for it, whatever the priorities. */
  readonly isLeaving?: boolean
}

/** One decision. What does not fit is a value with its reasons, never an error. */
export type Placement =
  | {
      readonly type: 'placed'
      readonly taskId: string
      readonly nodeId: string
      /** Tasks of lower priority that have to go for it. */
      readonly preempts: readonly string[]
      /** `fewest tasks of its service in zone a, most free memory`. */
      readonly reason: string
    }
  | { readonly type: 'unplaced'; readonly taskId: string; readonly refusals: readonly Refusal[] }

/** Stands in the task's record too. */
export type Refusal = PlacementRefusal
