import { architectureOf } from './attributes.ts'
import type { GroupState } from './group-state.ts'
import type { Ledger } from './ledger.ts'
import type { Refusal, SchedulableNode, TaskGroup } from './port.ts'

/** What no room on a node changes. In this order: a node is refused by the first that holds against it. */
export function staticRefusal(state: GroupState, node: SchedulableNode): Refusal['filter'] | null {
  if (!node.isReady) return 'ready'
  if (node.availability !== 'active') return 'availability'
  return belongsOn(state, node)
}

/** Of these what does not change with the node's state. */
export function belongsOn(state: GroupState, node: SchedulableNode): 'constraint' | 'platform' | null {
  if (!state.constraints.every((constraint) => constraint.holds(node))) return 'constraint'
  return runsOn(state.group.platforms, node) ? null : 'platform'
}

/** An empty list, or an empty field, is content with everything. */
export function runsOn(platforms: TaskGroup['platforms'], node: SchedulableNode): boolean {
  return (
    platforms.length === 0 ||
    platforms.some(
      ({ os, architecture }) =>
        (os === '' || os.toLowerCase() === node.platform.os.toLowerCase()) &&
        (architecture === '' || architectureOf(architecture) === architectureOf(node.platform.architecture)),
    )
  )
}

/** Groups that come with ever new constraints do not fill the memory. */
const MAX_SIGNATURES = 1024

/** Slots of the nodes that a group may go to, whether or not they have room. Worked out once for each class of nodes. */
export function eligibleSlots(ledger: Ledger, state: GroupState): readonly number[] {
  const known = ledger.eligible.get(state.signature)
  if (known !== undefined) return known
  const slots: number[] = []
  const isByNode = state.constraints.some((constraint) => constraint.isOwnToEach)
  for (const members of ledger.classes.values()) {
    let isClassEligible: boolean | undefined
    for (const slot of members) {
      const node = ledger.slots[slot]?.node
      if (node === undefined) continue
      isClassEligible = isByNode || isClassEligible === undefined ? staticRefusal(state, node) === null : isClassEligible
      if (isClassEligible) slots.push(slot)
    }
  }
  if (ledger.eligible.size >= MAX_SIGNATURES) {
    ledger.eligible.clear()
    ledger.newcomers.clear()
  }
  ledger.eligible.set(state.signature, slots)
  return slots
}
