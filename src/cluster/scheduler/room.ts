import type { AffinitySpec } from '#cluster/spec'

import { placeOf } from './attributes.ts'
import { domainOf, type Domain } from './domains.ts'
import type { GroupState } from './group-state.ts'
import type { Ledger } from './ledger.ts'
import { standing } from './ledger.ts'
import { isTaken, type NodeState } from './node-state.ts'
import type { Refusal } from './port.ts'

/** What depends on the tasks that are there already. In this order, as `staticRefusal`. */
export function roomRefusal(ledger: Ledger, state: GroupState, node: NodeState): Refusal['filter'] | null {
  if (!hasAmounts(ledger, state, node.slot))
    return (ledger.amounts.freeNanoCpus[node.slot] ?? 0) < state.group.nanoCpus && state.group.nanoCpus > 0 ? 'cpu' : 'memory'
  if (state.claims.some((claim) => isTaken(node, claim))) return 'host-port'
  return standingRefusal(ledger, state, node)
}

/** What no lower task's going would change. */
export function standingRefusal(ledger: Ledger, state: GroupState, node: NodeState): Refusal['filter'] | null {
  if (!hasVolumes(ledger, state, node.slot)) return 'volume'
  const { maxPerNode } = state.group
  if (maxPerNode > 0 && (state.service.counts.get(node.slot) ?? 0) >= maxPerNode) return 'max-per-node'
  return affinityRefusal(ledger, state, node) === null ? null : 'affinity'
}

/** A group that reserves nothing fits everywhere, on a node that is over-full too. */
export function hasAmounts(ledger: Ledger, { group }: GroupState, slot: number): boolean {
  const { freeNanoCpus, freeMemoryBytes } = ledger.amounts
  return (
    (group.nanoCpus === 0 || (freeNanoCpus[slot] ?? 0) >= group.nanoCpus) &&
    (group.memoryBytes === 0 || (freeMemoryBytes[slot] ?? 0) >= group.memoryBytes)
  )
}

/** A volume that is nowhere yet comes to be where its first task goes. */
export function hasVolumes(ledger: Ledger, { group }: GroupState, slot: number): boolean {
  return group.volumes.every((volume) => ledger.volumes.get(volume)?.has(slot) ?? true)
}

export interface AffinityRefusal {
  readonly rule: AffinitySpec
  /** The group with the rule: another one, when tasks of it keep this one away. */
  readonly by: GroupState
  readonly place: string
}

export function affinityRefusal(ledger: Ledger, state: GroupState, node: NodeState): AffinityRefusal | null {
  for (const rule of state.required) {
    if (!holds(ledger, state, node, rule)) return { rule, by: state, place: placeOf(rule.topology)(node.node) }
  }
  return keptAway(ledger, state, node)
}

/** Tasks of others that do not want it near. Of several the first by name: it does not matter which came first. */
function keptAway(ledger: Ledger, state: GroupState, node: NodeState): AffinityRefusal | null {
  let found: AffinityRefusal | null = null
  for (const by of ledger.guards.get(state.service.name) ?? [])
    for (const rule of by.required) {
      if (rule.type !== 'anti-affinity' || rule.service !== state.service.name) continue
      const domain = by.guarded.get(rule.topology)
      const place = domain?.place(node.node) ?? ''
      if ((domain?.counts.get(place) ?? 0) > 0 && (found === null || by.key < found.by.key)) found = { rule, by, place }
    }
  return found
}

function holds(ledger: Ledger, state: GroupState, node: NodeState, rule: AffinitySpec): boolean {
  const tasks = tasksNear(ledger, node, rule)
  if (rule.type === 'anti-affinity') return tasks === 0
  if (tasks > 0) return true
  // The first of a service that wants to be near itself has nothing to be near to.
  return rule.service === state.service.name && totalOf(ledger, rule.service) === 0
}

/** Tasks of the rule's service in the node's place. */
export function tasksNear(ledger: Ledger, node: NodeState, rule: AffinitySpec): number {
  let tasks = 0
  for (const domain of domainsOf(ledger, rule.service, rule.topology)) tasks += domain.counts.get(domain.place(node.node)) ?? 0
  return tasks
}

/** More than one when a service was made anew under its name while tasks of the old one are there. */
function domainsOf(ledger: Ledger, serviceName: string, topology: string): readonly Domain[] {
  const domains: Domain[] = []
  for (const service of ledger.named.get(serviceName) ?? [])
    domains.push(service.domains.get(topology) ?? domainOf(service.domains, topology, standing(ledger, service)))
  return domains
}

function totalOf(ledger: Ledger, serviceName: string): number {
  let total = 0
  for (const service of ledger.named.get(serviceName) ?? []) total += service.total
  return total
}
