import { eligibleSlots } from './eligible.ts'
import type { GroupState } from './group-state.ts'
import { overlaps } from './host-ports.ts'
import type { Ledger } from './ledger.ts'
import type { NodeState, PlacedState } from './node-state.ts'
import { nodeOrder } from './order.ts'
import { standingRefusal } from './room.ts'

export interface Preemption {
  readonly node: NodeState
  /** The lowest first. */
  readonly victims: readonly PlacedState[]
}

/**
 * Makes room for a task by ending others of lower priority. Of all nodes the one whose highest victim is lowest; among those the one with the
 * fewest victims; then the order of a usual placement. Never one of the same or a higher priority, and never more than it takes.
 */
export function findPreemption(ledger: Ledger, state: GroupState, onlyNode: string | null): Preemption | undefined {
  if (!hasLower(ledger, state.group.priority)) return undefined
  const order = nodeOrder(ledger, state)
  let best: (Preemption & { readonly highest: number }) | undefined
  for (const slot of eligibleSlots(ledger, state)) {
    const node = ledger.slots[slot]
    if (node === undefined || (onlyNode !== null && node.node.id !== onlyNode)) continue
    const victims = victimsOn(ledger, state, node)
    if (victims === undefined) continue
    const highest = victims.at(-1)?.state.group.priority ?? Number.NEGATIVE_INFINITY
    order.refresh(slot)
    const difference = best === undefined ? -1 : highest - best.highest || victims.length - best.victims.length
    if (difference < 0 || (difference === 0 && best !== undefined && order.before(slot, best.node.slot)))
      best = { node, victims, highest }
  }
  return best
}

function hasLower(ledger: Ledger, priority: number): boolean {
  for (const placed of ledger.priorities.keys()) if (placed < priority) return true
  return false
}

/** Undefined: even without all lower tasks there is no room. */
function victimsOn(ledger: Ledger, state: GroupState, node: NodeState): readonly PlacedState[] | undefined {
  if (standingRefusal(ledger, state, node) !== null) return undefined
  const { group } = state
  const lower = [...node.tasks].filter((task) => mayEnd(task, state)).toSorted(byPriority)
  const going = new Set<PlacedState>()
  const need = {
    nanoCpus: group.nanoCpus === 0 ? 0 : group.nanoCpus - (ledger.amounts.freeNanoCpus[node.slot] ?? 0),
    memoryBytes: group.memoryBytes === 0 ? 0 : group.memoryBytes - (ledger.amounts.freeMemoryBytes[node.slot] ?? 0),
  }
  // Whoever has a port that is needed must go; a task that is no lower and has one keeps the node closed.
  for (const task of node.tasks) {
    if (!takesPortOf(task, state)) continue
    if (!mayEnd(task, state)) return undefined
    going.add(task)
  }
  const fits = () => {
    let [nanoCpus, memoryBytes] = [need.nanoCpus, need.memoryBytes]
    for (const task of going) {
      nanoCpus -= task.state.group.nanoCpus
      memoryBytes -= task.state.group.memoryBytes
    }
    return nanoCpus <= 0 && memoryBytes <= 0
  }
  const forced = new Set(going)
  for (const task of lower) {
    if (fits()) break
    if (isOfUse(task, need)) going.add(task)
  }
  if (!fits()) return undefined
  // The highest stay if the others are enough without them.
  for (const task of [...going].toSorted(byPriority).toReversed()) {
    if (forced.has(task)) continue
    going.delete(task)
    if (!fits()) going.add(task)
  }
  return going.size === 0 ? undefined : [...going].toSorted(byPriority)
}

/** Only lower ones, and none that the task has to be near to. */
function mayEnd({ state: { group } }: PlacedState, state: GroupState): boolean {
  return (
    group.priority < state.group.priority &&
    !state.required.some((rule) => rule.type === 'affinity' && rule.service === group.serviceName)
  )
}

function isOfUse({ state }: PlacedState, need: { readonly nanoCpus: number; readonly memoryBytes: number }): boolean {
  return (need.nanoCpus > 0 && state.group.nanoCpus > 0) || (need.memoryBytes > 0 && state.group.memoryBytes > 0)
}

function takesPortOf(task: PlacedState, state: GroupState): boolean {
  return task.state.claims.some((taken) =>
    state.claims.some((claim) => claim.port === taken.port && overlaps(claim.address, taken.address)),
  )
}

/** The lowest first; among equals the largest first, so that few are enough; then by id. */
function byPriority(a: PlacedState, b: PlacedState): number {
  const [left, right] = [a.state.group, b.state.group]
  return (
    left.priority - right.priority ||
    right.nanoCpus - left.nanoCpus ||
    right.memoryBytes - left.memoryBytes ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  )
}
