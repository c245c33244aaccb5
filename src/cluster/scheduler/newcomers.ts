import { eligibleSlots } from './eligible.ts'
import type { GroupState } from './group-state.ts'
import { dropFirst, heapify, siftDown, siftUp, type Before, type LazyHeap } from './heap.ts'
import type { Ledger } from './ledger.ts'
import { hasAmounts } from './room.ts'

/** A few tasks of a service that has none: more are worth an order of their own. */
const MAX_NEWCOMERS = 16

export function areNewcomers(ledger: Ledger, state: GroupState, tasks: number): boolean {
  const { group, service } = state
  if (service.total > 0 || !state.isPlain || state.wished.length > 0 || ledger.guards.has(service.name)) return false
  if (ledger.settings.strategy === 'pack' && group.nanoCpus + group.memoryBytes > 0) return false
  // Where no branch has a task yet, the best node is the best of all branches.
  return tasks === 1 || (tasks <= MAX_NEWCOMERS && group.spread.length === 0)
}

/**
 * The best nodes for so many tasks, each a different one; fewer when the next one has no room for them. The order in which services without any task are spread is
 * the same for all that may go to the same nodes, and is kept from one service to the next: placing a task only moves its node back, which is seen when the
 * node comes first; whatever moves one forward throws the order away.
 */
export function newcomerSlots(ledger: Ledger, state: GroupState, tasks: number): readonly number[] {
  const order = orderOf(ledger, state)
  const { slots, before } = order
  const taken: number[] = []
  while (taken.length < tasks) {
    const slot = slots[0]
    if (slot === undefined) break
    if (order.refresh(slot)) siftDown(slots, 0, before)
    else if (!hasAmounts(ledger, state, slot)) break
    else {
      taken.push(slot)
      dropFirst(slots, before)
    }
  }
  for (const slot of taken) {
    slots.push(slot)
    siftUp(slots, slots.length - 1, before)
  }
  return taken
}

function orderOf(ledger: Ledger, state: GroupState): LazyHeap {
  const known = ledger.newcomers.get(state.signature)
  if (known !== undefined) return known
  const { amounts } = ledger
  const tasks = new Float64Array(ledger.slots.length)
  const memory = new Float64Array(ledger.slots.length)
  const before: Before<number> = (a, b) => {
    let difference = (tasks[a] ?? 0) - (tasks[b] ?? 0)
    if (difference === 0) difference = (memory[b] ?? 0) - (memory[a] ?? 0)
    if (difference === 0) difference = (amounts.rank[a] ?? 0) - (amounts.rank[b] ?? 0)
    return difference < 0
  }
  const refresh = (slot: number) => {
    const [tasksNow, memoryNow] = [amounts.tasks[slot] ?? 0, amounts.freeMemoryBytes[slot] ?? 0]
    if (tasks[slot] === tasksNow && memory[slot] === memoryNow) return false
    tasks[slot] = tasksNow
    memory[slot] = memoryNow
    return true
  }
  const slots = [...eligibleSlots(ledger, state)]
  for (const slot of slots) refresh(slot)
  heapify(slots, before)
  const order: LazyHeap = { slots, before, refresh }
  ledger.newcomers.set(state.signature, order)
  return order
}
