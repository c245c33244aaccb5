/**
 * Which node a task goes to. A pure decision from what is known of nodes and tasks: filters that say what they refused and why, an order of
 * the nodes that are left, and room made by priority. Tasks of one service and revision are decided on together. `startScheduling` carries it out on the store.
 */
export { startScheduling, type Scheduling, type SchedulingPorts } from './loop.ts'
export type { ClusterPicture, PictureEntry } from './picture.ts'
export type { PendingTask, PlacedTask, Placement, Refusal, SchedulableNode, TaskGroup } from './port.ts'
export { eligibleNodes, nodeFit, planPlacements, schedulerOf, type SchedulerSnapshot } from './plan.ts'
export { groupOf, schedulableOf } from './records.ts'
export { MAX_MOVES, planRebalance, type Move } from './rebalance.ts'
export { createScheduler, type Scheduler } from './scheduler.ts'
export { DEFAULT_SETTINGS, type SchedulerSettings } from './settings.ts'
