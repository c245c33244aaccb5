import { placeOf } from './attributes.ts'
import type { GroupState } from './group-state.ts'
import { dropFirst, heapify, siftDown, type Before } from './heap.ts'
import type { Ledger } from './ledger.ts'
import type { NodeOrder } from './order.ts'

/**
 * The nodes that would take a task, by the labels that its service is spread over: a tree with a heap at each fork. The first node of the first branch of the
 * first branch … is the one to take. A node that was taken only moves back, so that each choice costs the depth of the tree and the logarithm of its width.
 */
export interface SpreadTree {
  /** The best node; undefined: there is none left. */
  first(): number | undefined
  /** The first node was taken, or its numbers changed for the worse. */
  resort(taken: 0 | 1): void
  /** The first node cannot be had any more. */
  drop(): void
  /** `zone a (2 of them), rack 7 (0)`: the branches of the first node with the tasks of the service that stand there. */
  path(): readonly { readonly key: string; readonly value: string; readonly count: number }[]
}

interface Branch {
  readonly value: string
  /** Tasks of the service in it. */
  count: number
  readonly byValue: Map<string, Branch>
  /** A heap. */
  readonly branches: Branch[]
  /** A heap, of the last level only. */
  readonly slots: number[]
}

export function spreadTree(ledger: Ledger, state: GroupState, slots: readonly number[], order: NodeOrder): SpreadTree {
  const keys = state.group.spread
  const places = keys.map(placeOf)
  const root = branch('')
  for (const slot of slots) leafOf(slot, true)?.slots.push(slot)
  for (const [slot, count] of state.service.counts) countAt(slot, count)
  const before: Before<Branch> = (a, b) => {
    if (a.count !== b.count) return a.count < b.count
    const [bestOfA, bestOfB] = [best(a), best(b)]
    return bestOfA !== undefined && (bestOfB === undefined || order.before(bestOfA, bestOfB))
  }
  sortAll(root)

  function leafOf(slot: number, isGrown: boolean): Branch | undefined {
    const node = ledger.slots[slot]?.node
    let at: Branch | undefined = root
    for (const place of places) {
      if (node === undefined || at === undefined) return undefined
      const value: string = place(node)
      let next: Branch | undefined = at.byValue.get(value)
      if (next === undefined && isGrown) {
        next = branch(value)
        at.byValue.set(value, next)
        at.branches.push(next)
      }
      at = next
    }
    return at
  }

  function countAt(slot: number, count: number): void {
    const node = ledger.slots[slot]?.node
    if (node === undefined || !isCounted(ledger, slot)) return
    let at: Branch | undefined = root
    for (const place of places) {
      at = at?.byValue.get(place(node))
      if (at !== undefined) at.count += count
    }
  }

  function sortAll(at: Branch): void {
    for (const child of at.branches) sortAll(child)
    heapify(at.slots, order.before)
    heapify(at.branches, before)
  }

  /** From the root to the leaf of the first node. */
  function trail(): Branch[] {
    const trail = [root]
    for (let at = root.branches[0]; at !== undefined; at = at.branches[0]) trail.push(at)
    return trail
  }

  /** The first node's leaf has changed: what is above it comes in order again, and empty branches go. */
  function settle(trail: readonly Branch[]): void {
    for (let level = trail.length - 2; level >= 0; level -= 1) {
      const at = trail[level]
      const child = trail[level + 1]
      if (at === undefined || child === undefined) continue
      if (child.slots.length === 0 && child.branches.length === 0) dropFirst(at.branches, before)
      else siftDown(at.branches, 0, before)
    }
  }

  return {
    first: () => best(root),
    resort: (taken) => {
      const branches = trail()
      const leaf = branches.at(-1)
      if (leaf !== undefined) siftDown(leaf.slots, 0, order.before)
      for (const at of branches.slice(1)) at.count += taken
      settle(branches)
    },
    drop: () => {
      const branches = trail()
      const leaf = branches.at(-1)
      if (leaf !== undefined) dropFirst(leaf.slots, order.before)
      settle(branches)
    },
    path: () =>
      trail()
        .slice(1)
        .map(({ value, count }, level) => ({ key: keys[level] ?? '', value, count })),
  }
}

function branch(value: string): Branch {
  return { value, count: 0, byValue: new Map(), branches: [], slots: [] }
}

/** The first node below. */
function best(at: Branch): number | undefined {
  let below = at
  for (let next = below.branches[0]; next !== undefined; next = below.branches[0]) below = next
  return below.slots[0]
}

/** Tasks on a node that is to be emptied, or gone, are about to stand somewhere else. */
function isCounted(ledger: Ledger, slot: number): boolean {
  const node = ledger.slots[slot]?.node
  return node !== undefined && node.isReady && node.availability !== 'drain'
}
