import type { Before } from './heap.ts'
import type { GroupState } from './group-state.ts'
import type { Ledger } from './ledger.ts'
import { tasksNear } from './room.ts'

/** How the nodes that would take a task of a group compare: smaller numbers first, the first that differs decides. Indexed by slot. */
export interface NodeOrder {
  readonly before: Before<number>
  /** Works out the numbers of a node anew; true: they are others than before. */
  refresh(slot: number): boolean
}

/**
 * Wished affinities first. Then, to spread: tasks of the service, all tasks, free memory. To pack: what would be left free. In the end the node's rank.
 */
export function nodeOrder(ledger: Ledger, state: GroupState): NodeOrder {
  const { amounts } = ledger
  const { group, service, wished } = state
  const isPacked = ledger.settings.strategy === 'pack' && group.nanoCpus + group.memoryBytes > 0
  const size = ledger.slots.length
  const wish = new Float64Array(wished.length === 0 ? 0 : size)
  const first = new Float64Array(size)
  const second = new Float64Array(size)
  const third = new Float64Array(size)
  const { rank } = amounts
  const { counts } = service

  const before = (a: number, b: number): boolean => {
    if (wished.length > 0) {
      const difference = (wish[a] ?? 0) - (wish[b] ?? 0)
      if (difference !== 0) return difference < 0
    }
    let difference = (first[a] ?? 0) - (first[b] ?? 0)
    if (difference === 0) difference = (second[a] ?? 0) - (second[b] ?? 0)
    if (difference === 0) difference = (third[a] ?? 0) - (third[b] ?? 0)
    if (difference === 0) difference = (rank[a] ?? 0) - (rank[b] ?? 0)
    return difference < 0
  }

  const refresh = (slot: number): boolean => {
    const old = [wish[slot] ?? 0, first[slot], second[slot], third[slot]] as const
    if (wished.length > 0) wish[slot] = wishOf(ledger, state, slot)
    if (isPacked) {
      first[slot] = leftFree(ledger, state, slot)
    } else {
      first[slot] = counts.get(slot) ?? 0
      second[slot] = amounts.tasks[slot] ?? 0
      third[slot] = -(amounts.freeMemoryBytes[slot] ?? 0)
    }
    return (wish[slot] ?? 0) !== old[0] || first[slot] !== old[1] || second[slot] !== old[2] || third[slot] !== old[3]
  }
  return { before, refresh }
}

/** Of CPU and memory together, as shares of the node. Smallest where the task fills the node best. */
function leftFree(ledger: Ledger, { group }: GroupState, slot: number): number {
  const { freeNanoCpus, freeMemoryBytes, nanoCpus, memoryBytes } = ledger.amounts
  return (
    share((freeNanoCpus[slot] ?? 0) - group.nanoCpus, nanoCpus[slot] ?? 0) +
    share((freeMemoryBytes[slot] ?? 0) - group.memoryBytes, memoryBytes[slot] ?? 0)
  )
}

function share(amount: number, of: number): number {
  return of === 0 ? 0 : amount / of
}

/** Each wish that is fulfilled counts one; of those to be away, each task that is near. */
function wishOf(ledger: Ledger, { wished }: GroupState, slot: number): number {
  const node = ledger.slots[slot]
  if (node === undefined) return 0
  let score = 0
  for (const rule of wished) {
    const tasks = tasksNear(ledger, node, rule)
    score += rule.type === 'affinity' ? -Math.min(tasks, 1) : tasks
  }
  return score
}
