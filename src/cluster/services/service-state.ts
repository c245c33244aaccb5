import {
  isAtLeast,
  isEnded,
  type NodeRecord,
  type RevisionRecord,
  type RunRecord,
  type ServiceRecord,
  type TaskRecord,
} from '#cluster/model'

/** One service with all that belongs to it: what its plan is made from. */
export interface ServiceState {
  readonly service: ServiceRecord
  readonly revisions: ReadonlyMap<number, RevisionRecord>
  readonly tasks: readonly TaskRecord[]
  readonly runs: readonly RunRecord[]
}

/** All of the cluster that a plan looks at. */
export interface ClusterState {
  readonly nowMs: number
  readonly nodes: ReadonlyMap<string, NodeRecord>
  readonly services: ReadonlyMap<string, ServiceState>
  /** What the router saw of a rollout's two revisions since its step began, by service; absent: nothing is known. */
  readonly metrics: ReadonlyMap<string, RolloutSample>
  /** Why images that nodes fetch could not be fetched, by reference. Absent: nothing is known. */
  readonly imageFailures?: ReadonlyMap<string, string>
  /** Of each slot so many tasks are kept, those that live among them. Absent: `KEPT_TASKS_PER_SLOT` besides those. */
  readonly keptTasksPerSlot?: number
}

/** Of the traffic of both revisions since the step began. */
export interface RolloutSample {
  readonly old: RouteSample
  readonly new: RouteSample
}

export interface RouteSample {
  readonly requests: number
  /** 5xx, and those without any answer. */
  readonly errors: number
  /** At the percentile that was asked for; null: nobody knows. */
  readonly latencyMs: number | null
}

/** Where one of the service's tasks belongs: a slot, or a node of a global one. What stands there is one task, or the end of one that fell. */
export interface Seat {
  readonly key: string
  readonly slot: number | null
  readonly nodeId: string | null
  readonly task: TaskRecord
  readonly isFallen: boolean
  /** Made as is wanted now, where it may stay. */
  readonly isCurrent: boolean
}

export function isLive(task: TaskRecord): boolean {
  return !isEnded(task.status.state)
}

/** Wanted for longer. */
export function isStaying(task: TaskRecord): boolean {
  return task.desiredState === 'ready' || task.desiredState === 'running'
}

export function seatKey(task: Pick<TaskRecord, 'slot' | 'nodeId'>): string {
  return task.slot === null ? `node ${task.nodeId ?? ''}` : `slot ${task.slot}`
}

export function isReadyTask(task: TaskRecord): boolean {
  return isStaying(task) && task.status.state === 'running' && task.status.isReady
}

export function isRunning(task: TaskRecord): boolean {
  return isLive(task) && isAtLeast(task.status.state, 'running')
}

export function targetOf({ service, revisions }: ServiceState): RevisionRecord | undefined {
  return revisions.get(service.revision)
}

/** One for each place that is taken: by a task that is to stay, or by the youngest end of one that was. */
export function seatsOf(state: ServiceState, cluster: ClusterState): readonly Seat[] {
  const hash = targetOf(state)?.templateHash
  const seats: Seat[] = []
  const byKey = Map.groupBy(
    state.tasks.filter((task) => task.runId === null && isStaying(task)),
    seatKey,
  )
  for (const [key, tasks] of byKey) {
    const live = tasks.filter(isLive)
    const fallen = tasks.filter((task) => !isLive(task)).toSorted(youngestFirst)[0]
    const seated = live.length > 0 ? live : fallen === undefined ? [] : [fallen]
    for (const task of seated) {
      const isSame = state.revisions.get(task.revision)?.templateHash === hash
      const isCurrent = isSame && (live.length === 0 || !isDisplaced(task, cluster))
      seats.push({ key, slot: task.slot, nodeId: task.nodeId, task, isFallen: live.length === 0, isCurrent })
    }
  }
  return seats.toSorted((a, b) => (a.slot ?? 0) - (b.slot ?? 0) || (a.key < b.key ? -1 : 1))
}

/** Its node is to be emptied. */
export function isDisplaced(task: TaskRecord, { nodes }: ClusterState): boolean {
  return task.nodeId !== null && nodes.get(task.nodeId)?.availability === 'drain'
}

export function youngestFirst(a: TaskRecord, b: TaskRecord): number {
  return b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1)
}
