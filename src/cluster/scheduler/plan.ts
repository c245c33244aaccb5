import { belongsOn, staticRefusal } from './eligible.ts'
import { groupStateOf, serviceStateOf } from './group-state.ts'
import type { PendingTask, PlacedTask, Placement, SchedulableNode, TaskGroup } from './port.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { DEFAULT_SETTINGS, type SchedulerSettings } from './settings.ts'

/** Everything that a decision depends on. */
export interface SchedulerSnapshot {
  readonly nodes: readonly SchedulableNode[]
  readonly placed: readonly PlacedTask[]
}

export function schedulerOf(snapshot: SchedulerSnapshot, settings: SchedulerSettings = DEFAULT_SETTINGS): Scheduler {
  const scheduler = createScheduler(settings)
  for (const node of snapshot.nodes) scheduler.putNode(node)
  for (const task of snapshot.placed) scheduler.putTask(task)
  return scheduler
}

/** Snapshot in, placements out. */
export function planPlacements(
  snapshot: SchedulerSnapshot,
  pending: readonly PendingTask[],
  settings: SchedulerSettings = DEFAULT_SETTINGS,
): readonly Placement[] {
  return schedulerOf(snapshot, settings).place(pending)
}

/** The nodes that a global service has a task on: those that it may go to, whether or not there is room now. */
export function eligibleNodes(group: TaskGroup, nodes: readonly SchedulableNode[]): readonly SchedulableNode[] {
  const state = groupStateOf(group, serviceStateOf(group))
  return nodes.filter((node) => staticRefusal(state, node) === null)
}

/** Whether a task may be on a node for what the node is, as the constraints and platforms of its revision say; whether it is there and takes new ones is another matter. */
export function nodeFit(group: TaskGroup): (node: SchedulableNode) => boolean {
  const state = groupStateOf(group, serviceStateOf(group))
  return (node) => belongsOn(state, node) === null
}
