import { clearSlot, emptyAmounts, reach, type Amounts } from './amounts.ts'
import { countIn, domainOf } from './domains.ts'
import { groupKeyOf, groupStateOf, serviceStateOf, type GroupState, type ServiceState } from './group-state.ts'
import type { LazyHeap } from './heap.ts'
import { claimPorts, classNameOf, rankOf, releasePorts, type NodeState, type PlacedState } from './node-state.ts'
import type { SchedulableNode, TaskGroup } from './port.ts'
import type { SchedulerSettings } from './settings.ts'

/** What is where, counted in every way that a decision needs. Only the functions here change it. */
export interface Ledger {
  readonly settings: SchedulerSettings
  readonly nodes: Map<string, NodeState>
  readonly slots: (NodeState | undefined)[]
  readonly freeSlots: number[]
  readonly amounts: Amounts
  /** What all nodes have together. */
  readonly totals: { nanoCpus: number; memoryBytes: number }
  /** Slots by class. */
  readonly classes: Map<string, Set<number>>
  readonly services: Map<string, ServiceState>
  readonly named: Map<string, Set<ServiceState>>
  readonly groups: Map<string, GroupState>
  readonly placed: Map<string, PlacedState>
  /** Tasks on nodes that are not known (yet, or any more), by the node's id. They count for nothing. */
  readonly strays: Map<string, Set<PlacedState>>
  /** Slots of the nodes that have a volume, each with how many times it was said. */
  readonly volumes: Map<string, Map<number, number>>
  /** Volumes of tasks that were preempted: what is in them stays where it is. As long as one round of decisions lasts. */
  readonly keptVolumes: { readonly volume: string; readonly nodeId: string }[]
  /** Groups with tasks that keep away a service, by that service's name. */
  readonly guards: Map<string, Set<GroupState>>
  /** How many placed tasks have a priority. */
  readonly priorities: Map<number, number>
  /** Slots that groups of a signature may go to. Emptied whenever a node comes, changes or goes. */
  readonly eligible: Map<string, readonly number[]>
  /** By signature, as long as no node became better. */
  readonly newcomers: Map<string, LazyHeap>
}

export function openLedger(settings: SchedulerSettings): Ledger {
  return {
    settings,
    nodes: new Map(),
    slots: [],
    freeSlots: [],
    amounts: emptyAmounts(),
    totals: { nanoCpus: 0, memoryBytes: 0 },
    classes: new Map(),
    services: new Map(),
    named: new Map(),
    groups: new Map(),
    placed: new Map(),
    strays: new Map(),
    volumes: new Map(),
    keptVolumes: [],
    guards: new Map(),
    priorities: new Map(),
    eligible: new Map(),
    newcomers: new Map(),
  }
}

export function groupIn(ledger: Ledger, group: TaskGroup): GroupState {
  const key = groupKeyOf(group)
  const known = ledger.groups.get(key)
  if (known !== undefined) return known
  const service = ledger.services.get(group.serviceId) ?? serviceStateOf(group)
  ledger.services.set(group.serviceId, service)
  ledger.named.set(service.name, (ledger.named.get(service.name) ?? new Set()).add(service))
  const state = groupStateOf(group, service)
  ledger.groups.set(key, state)
  return state
}

/** Groups and services without tasks are made again when they are needed. */
export function forgetEmptyGroups(ledger: Ledger): void {
  for (const [key, state] of ledger.groups) if (state.placed === 0) ledger.groups.delete(key)
  const alive = new Set([...ledger.groups.values()].map((state) => state.service))
  for (const [id, service] of ledger.services) {
    if (alive.has(service)) continue
    ledger.services.delete(id)
    const namesakes = ledger.named.get(service.name)
    namesakes?.delete(service)
    if (namesakes?.size === 0) ledger.named.delete(service.name)
  }
}

/** A new node, or one that changed. */
export function putNode(ledger: Ledger, node: SchedulableNode): void {
  const before = ledger.nodes.get(node.id)
  if (before !== undefined && isSame(before.node, node)) return
  dropNode(ledger, node.id)
  const slot = ledger.freeSlots.pop() ?? ledger.slots.length
  const state: NodeState = { slot, node, className: classNameOf(node), tasks: new Set(), ports: new Map() }
  const { amounts } = ledger
  reach(amounts, slot)
  amounts.nanoCpus[slot] = amounts.freeNanoCpus[slot] = node.nanoCpus
  amounts.memoryBytes[slot] = amounts.freeMemoryBytes[slot] = node.memoryBytes
  ledger.totals.nanoCpus += node.nanoCpus
  ledger.totals.memoryBytes += node.memoryBytes
  amounts.rank[slot] = rankOf(node.id, ledger.settings.seed)
  ledger.slots[slot] = state
  ledger.nodes.set(node.id, state)
  ledger.classes.set(state.className, (ledger.classes.get(state.className) ?? new Set()).add(slot))
  forgetOrders(ledger)
  for (const volume of node.volumes) pinVolume(ledger, volume, slot, 1)
  const strays = ledger.strays.get(node.id) ?? []
  ledger.strays.delete(node.id)
  for (const task of strays) count(ledger, state, task, 1)
}

/** Its tasks wait for it to come back. */
export function dropNode(ledger: Ledger, nodeId: string): void {
  const state = ledger.nodes.get(nodeId)
  if (state === undefined) return
  const tasks = [...state.tasks]
  for (const task of tasks) count(ledger, state, task, -1)
  if (tasks.length > 0) ledger.strays.set(nodeId, new Set(tasks))
  for (const volume of state.node.volumes) pinVolume(ledger, volume, state.slot, -1)
  const kin = ledger.classes.get(state.className)
  kin?.delete(state.slot)
  if (kin?.size === 0) ledger.classes.delete(state.className)
  ledger.totals.nanoCpus -= state.node.nanoCpus
  ledger.totals.memoryBytes -= state.node.memoryBytes
  ledger.nodes.delete(nodeId)
  ledger.slots[state.slot] = undefined
  ledger.freeSlots.push(state.slot)
  clearSlot(ledger.amounts, state.slot)
  forgetOrders(ledger)
}

/** A task that has its node; one that had another goes from there. */
export function putTask(ledger: Ledger, id: string, nodeId: string, state: GroupState): void {
  const before = ledger.placed.get(id)
  if (before !== undefined) {
    if (before.nodeId === nodeId && before.state === state) return
    dropTask(ledger, id)
  }
  const task: PlacedState = { id, nodeId, state }
  ledger.placed.set(id, task)
  state.placed += 1
  const node = ledger.nodes.get(nodeId)
  if (node !== undefined) count(ledger, node, task, 1)
  else ledger.strays.set(nodeId, (ledger.strays.get(nodeId) ?? new Set()).add(task))
}

export function dropTask(ledger: Ledger, id: string): void {
  const task = ledger.placed.get(id)
  if (task === undefined) return
  ledger.placed.delete(id)
  task.state.placed -= 1
  const node = ledger.nodes.get(task.nodeId)
  if (node !== undefined) return count(ledger, node, task, -1)
  const strays = ledger.strays.get(task.nodeId)
  strays?.delete(task)
  if (strays?.size === 0) ledger.strays.delete(task.nodeId)
}

export function keepVolumes(ledger: Ledger, { nodeId, state }: PlacedState): void {
  const slot = ledger.nodes.get(nodeId)?.slot
  if (slot === undefined) return
  for (const volume of state.group.volumes) {
    pinVolume(ledger, volume, slot, 1)
    ledger.keptVolumes.push({ volume, nodeId })
  }
}

export function releaseVolumes(ledger: Ledger): void {
  for (const { volume, nodeId } of ledger.keptVolumes.splice(0)) {
    const slot = ledger.nodes.get(nodeId)?.slot
    if (slot !== undefined) pinVolume(ledger, volume, slot, -1)
  }
}

/** Where the tasks of a service stand, to begin counting by another topology. */
export function* standing(ledger: Ledger, service: ServiceState): Generator<readonly [SchedulableNode, number]> {
  for (const [slot, tasks] of service.counts) {
    const node = ledger.slots[slot]?.node
    if (node !== undefined) yield [node, tasks]
  }
}

function forgetOrders(ledger: Ledger): void {
  ledger.eligible.clear()
  ledger.newcomers.clear()
}

function count(ledger: Ledger, node: NodeState, task: PlacedState, change: 1 | -1): void {
  const { amounts } = ledger
  const { slot } = node
  const { group, service, claims } = task.state
  if (change === 1) node.tasks.add(task)
  else {
    node.tasks.delete(task)
    ledger.newcomers.clear()
  }
  amounts.freeNanoCpus[slot] = (amounts.freeNanoCpus[slot] ?? 0) - change * group.nanoCpus
  amounts.freeMemoryBytes[slot] = (amounts.freeMemoryBytes[slot] ?? 0) - change * group.memoryBytes
  amounts.tasks[slot] = (amounts.tasks[slot] ?? 0) + change
  bump(service.counts, slot, change)
  service.total += change
  bump(ledger.priorities, group.priority, change)
  if (service.domains.size > 0) countIn(service.domains, node.node, change)
  if (claims.length > 0) (change === 1 ? claimPorts : releasePorts)(node, claims)
  for (const volume of group.volumes) pinVolume(ledger, volume, slot, change)
  if (task.state.required.length > 0) guard(ledger, node, task.state, change)
}

/** Keeps count of where tasks stand that others must not come near to. */
function guard(ledger: Ledger, node: NodeState, state: GroupState, change: 1 | -1): void {
  for (const affinity of state.required) {
    if (affinity.type !== 'anti-affinity') continue
    domainOf(state.guarded, affinity.topology, [])
    const groups = ledger.guards.get(affinity.service) ?? new Set()
    ledger.guards.set(affinity.service, groups.add(state))
  }
  countIn(state.guarded, node.node, change)
  for (const affinity of state.required) {
    const groups = ledger.guards.get(affinity.service)
    if (state.guarded.get(affinity.topology)?.counts.size === 0) groups?.delete(state)
    if (groups?.size === 0) ledger.guards.delete(affinity.service)
  }
}

function pinVolume(ledger: Ledger, volume: string, slot: number, change: 1 | -1): void {
  const slots = ledger.volumes.get(volume) ?? new Map<number, number>()
  bump(slots, slot, change)
  if (slots.size === 0) ledger.volumes.delete(volume)
  else ledger.volumes.set(volume, slots)
}

function bump(counts: Map<number, number>, key: number, change: number): void {
  const next = (counts.get(key) ?? 0) + change
  if (next === 0) counts.delete(key)
  else counts.set(key, next)
}

function isSame(a: SchedulableNode, b: SchedulableNode): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}
