import { placeOf } from './attributes.ts'
import { chooser, type Chooser } from './choose.ts'
import { staticRefusal } from './eligible.ts'
import { explain } from './explain.ts'
import type { GroupState } from './group-state.ts'
import { overlaps } from './host-ports.ts'
import {
  dropNode,
  dropTask,
  forgetEmptyGroups,
  groupIn,
  keepVolumes,
  openLedger,
  putNode,
  putTask,
  releaseVolumes,
  type Ledger,
} from './ledger.ts'
import { areNewcomers, newcomerSlots } from './newcomers.ts'
import type { PendingTask, PlacedTask, Placement, Refusal, SchedulableNode, TaskGroup } from './port.ts'
import { findPreemption } from './preempt.ts'
import { onlyNodeReason, preemptionReason, reasonOf } from './reason.ts'
import { roomRefusal } from './room.ts'
import { DEFAULT_SETTINGS, type SchedulerSettings } from './settings.ts'

/**
 * Keeps count of what stands where, and decides. Told of the same nodes and tasks it decides the same, in whatever order and however often it was told.
 * Pure but for its own memory: no clock, no chance, no store.
 */
export interface Scheduler {
  putNode(node: SchedulableNode): void
  dropNode(id: string): void
  /** A task that has its node: a new one, or one that moved. */
  putTask(task: PlacedTask): void
  dropTask(id: string): void
  /** Where a task stands; undefined: nowhere. */
  nodeOf(taskId: string): string | undefined
  /** Nothing on this node is given out twice: no CPU, no memory, no port. False for a node that is not known. */
  isSound(nodeId: string): boolean
  /** The node may take tasks of the group, as far as room is not concerned. */
  isOpen(nodeId: string, group: TaskGroup): boolean
  /**
   * Decides on all of them, the highest priority first, groups together. What is placed is counted from then on, and what was preempted is not. Answers come in the order of
   * the decisions.
   */
  place(pending: readonly PendingTask[]): readonly Placement[]
  /** What would stand against a task now: for those who ask why. Empty: there is room. */
  explain(task: PendingTask): readonly Refusal[]
}

export function createScheduler(settings: SchedulerSettings = DEFAULT_SETTINGS): Scheduler {
  const ledger = openLedger(settings)
  return {
    putNode: (node) => putNode(ledger, node),
    dropNode: (id) => dropNode(ledger, id),
    putTask: ({ id, nodeId, group, isLeaving }) =>
      putTask(ledger, id, nodeId, groupIn(ledger, isLeaving === true ? leavingGroup(group) : group)),
    dropTask: (id) => dropTask(ledger, id),
    nodeOf: (taskId) => ledger.placed.get(taskId)?.nodeId,
    isSound: (nodeId) => isSound(ledger, nodeId),
    isOpen: (nodeId, group) => {
      const node = ledger.nodes.get(nodeId)
      return node !== undefined && staticRefusal(groupIn(ledger, group), node.node) === null
    },
    place: (pending) => {
      const placements: Placement[] = []
      for (const batch of batchesOf(ledger, pending)) placeBatch(ledger, batch, placements)
      releaseVolumes(ledger)
      forgetEmptyGroups(ledger)
      return placements
    },
    explain: ({ group, onlyNode }) => {
      const refusals = explain(ledger, groupIn(ledger, group), onlyNode)
      const nodes = onlyNode === null ? ledger.nodes.size : ledger.nodes.has(onlyNode) ? 1 : 0
      forgetEmptyGroups(ledger)
      return nodes > refusals.reduce((sum, refusal) => sum + refusal.nodes, 0) ? [] : refusals
    },
  }
}

/** Tasks on their way out make room for whoever comes. */
function leavingGroup(group: TaskGroup): TaskGroup {
  return { ...group, revision: -group.revision - 1, priority: Number.NEGATIVE_INFINITY }
}

interface Batch {
  readonly state: GroupState
  readonly tasks: PendingTask[]
}

/** By priority; to pack, the largest first as well, because what is small finds room in what they leave. */
function batchesOf(ledger: Ledger, pending: readonly PendingTask[]): readonly Batch[] {
  const batches = new Map<GroupState, Batch>()
  for (const task of pending) {
    const state = groupIn(ledger, task.group)
    const batch = batches.get(state)
    if (batch === undefined) batches.set(state, { state, tasks: [task] })
    else batch.tasks.push(task)
  }
  const isPacked = ledger.settings.strategy === 'pack'
  return [...batches.values()].toSorted(({ state: { group: a } }, { state: { group: b } }) => {
    if (a.priority !== b.priority) return b.priority - a.priority
    return isPacked ? sizeOf(ledger, b) - sizeOf(ledger, a) : 0
  })
}

/** CPU and memory on one scale: as shares of what the whole cluster has. */
function sizeOf(ledger: Ledger, group: { readonly nanoCpus: number; readonly memoryBytes: number }): number {
  const { nanoCpus, memoryBytes } = ledger.totals
  return (nanoCpus === 0 ? 0 : group.nanoCpus / nanoCpus) + (memoryBytes === 0 ? 0 : group.memoryBytes / memoryBytes)
}

function placeBatch(ledger: Ledger, { state, tasks }: Batch, placements: Placement[]): void {
  let choose: Chooser | undefined
  let refusals: readonly Refusal[] | undefined
  const left = placeNewcomers(ledger, state, tasks, placements)
  for (const task of left) {
    if (task.onlyNode !== null) {
      placements.push(placeOn(ledger, state, task, task.onlyNode))
      choose = undefined
      continue
    }
    choose ??= chooser(ledger, state)
    const taken = choose.take(task.id)
    if (taken !== undefined) {
      placements.push({ type: 'placed', taskId: task.id, nodeId: taken.nodeId, preempts: [], reason: taken.reason })
      continue
    }
    // Nothing of this group fits any more: what held against one holds against the others.
    const preempting = refusals === undefined ? preempt(ledger, state, task) : undefined
    if (preempting === undefined) {
      refusals ??= explain(ledger, state, null)
      placements.push({ type: 'unplaced', taskId: task.id, refusals })
    } else {
      placements.push(preempting)
      choose = undefined
    }
  }
}

/** The first tasks of a service, as far as they can be had without an order of its own. Gives back the others. */
function placeNewcomers(
  ledger: Ledger,
  state: GroupState,
  tasks: readonly PendingTask[],
  placements: Placement[],
): readonly PendingTask[] {
  if (!areNewcomers(ledger, state, tasks.length) || tasks.some((task) => task.onlyNode !== null)) return tasks
  const slots = newcomerSlots(ledger, state, tasks.length)
  for (const [index, slot] of slots.entries()) {
    const [node, task] = [ledger.slots[slot], tasks[index]]
    if (node === undefined || task === undefined) continue
    const path = state.group.spread.map((key) => ({ key, value: placeOf(key)(node.node), count: 0 }))
    placements.push({
      type: 'placed',
      taskId: task.id,
      nodeId: node.node.id,
      preempts: [],
      reason: reasonOf(ledger, state, node, path),
    })
    putTask(ledger, task.id, node.node.id, state)
  }
  return tasks.slice(slots.length)
}

/** Of a global service. */
function placeOn(ledger: Ledger, state: GroupState, task: PendingTask, nodeId: string): Placement {
  const node = ledger.nodes.get(nodeId)
  if (node !== undefined && staticRefusal(state, node.node) === null && roomRefusal(ledger, state, node) === null) {
    putTask(ledger, task.id, nodeId, state)
    return { type: 'placed', taskId: task.id, nodeId, preempts: [], reason: onlyNodeReason(state.group) }
  }
  const preempting = node === undefined ? undefined : preempt(ledger, state, task)
  return preempting ?? { type: 'unplaced', taskId: task.id, refusals: explain(ledger, state, nodeId) }
}

function preempt(ledger: Ledger, state: GroupState, task: PendingTask): Placement | undefined {
  const found = findPreemption(ledger, state, task.onlyNode)
  if (found === undefined) return undefined
  const { node, victims } = found
  for (const victim of victims) {
    keepVolumes(ledger, victim)
    dropTask(ledger, victim.id)
  }
  putTask(ledger, task.id, node.node.id, state)
  const preempts = victims.map((victim) => victim.id)
  return { type: 'placed', taskId: task.id, nodeId: node.node.id, preempts, reason: preemptionReason(state, victims) }
}

function isSound(ledger: Ledger, nodeId: string): boolean {
  const node = ledger.nodes.get(nodeId)
  if (node === undefined) return false
  const { freeNanoCpus, freeMemoryBytes } = ledger.amounts
  if ((freeNanoCpus[node.slot] ?? 0) < 0 || (freeMemoryBytes[node.slot] ?? 0) < 0) return false
  for (const addresses of node.ports.values())
    for (const [index, address] of addresses.entries())
      if (addresses.some((other, at) => at > index && overlaps(other, address))) return false
  return true
}
