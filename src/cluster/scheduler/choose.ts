import { eligibleSlots } from './eligible.ts'
import type { GroupState } from './group-state.ts'
import { putTask, type Ledger } from './ledger.ts'
import type { NodeState } from './node-state.ts'
import { nodeOrder } from './order.ts'
import { reasonOf } from './reason.ts'
import { hasAmounts, roomRefusal } from './room.ts'
import { spreadTree, type SpreadTree } from './spread-tree.ts'

/** Gives tasks of one group their nodes, one after the other. Good as long as nothing else changes the ledger. */
export interface Chooser {
  /** The best node with room; undefined: there is none. Changes nothing that counts. */
  look(): NodeState | undefined
  /** Puts a task on it and gives back the node and the reason. */
  take(taskId: string): { readonly nodeId: string; readonly reason: string } | undefined
}

export function chooser(ledger: Ledger, state: GroupState): Chooser {
  const order = nodeOrder(ledger, state)
  const isGuarded = ledger.guards.has(state.service.name)
  const hasRoom = (slot: number): boolean => {
    if (state.isPlain && !isGuarded) return hasAmounts(ledger, state, slot)
    const node = ledger.slots[slot]
    return node !== undefined && roomRefusal(ledger, state, node) === null
  }
  const ownWish = state.wished.filter((wish) => wish.service === state.service.name)
  const isMadeAnew = ownWish.some((wish) => wish.type === 'affinity')
  let tree = grow()

  function grow(): SpreadTree {
    const slots = eligibleSlots(ledger, state).filter(hasRoom)
    for (const slot of slots) order.refresh(slot)
    return spreadTree(ledger, state, slots, order)
  }

  /** Nodes that lost their room, or became worse, since they were put in order are found out here. */
  function look(): NodeState | undefined {
    for (;;) {
      const slot = tree.first()
      if (slot === undefined) return undefined
      if (!hasRoom(slot)) tree.drop()
      else if (ownWish.length > 0 && order.refresh(slot)) tree.resort(0)
      else return ledger.slots[slot]
    }
  }

  return {
    look,
    take: (taskId) => {
      const node = look()
      if (node === undefined) return undefined
      const reason = reasonOf(ledger, state, node, tree.path())
      putTask(ledger, taskId, node.node.id, state)
      order.refresh(node.slot)
      // A task that others wish to be near to makes nodes better that are far behind in the order.
      if (isMadeAnew) tree = grow()
      else tree.resort(1)
      return { nodeId: node.node.id, reason }
    },
  }
}
