import { constraintOf, type Constraint } from './constraint.ts'
import type { Domains } from './domains.ts'
import { claimsOf, type PortClaim } from './host-ports.ts'
import type { TaskGroup } from './port.ts'

/** All tasks of a service, of whatever revision: what spreads, bounds and affinities count. */
export interface ServiceState {
  readonly id: string
  readonly name: string
  /** By the slot of the node. */
  readonly counts: Map<number, number>
  total: number
  readonly domains: Domains
}

/** A group with what is worked out once for all of its tasks. */
export interface GroupState {
  readonly key: string
  readonly group: TaskGroup
  readonly service: ServiceState
  readonly constraints: readonly Constraint[]
  /** Groups with the same one may go to the same nodes, as long as those have room. */
  readonly signature: string
  readonly claims: readonly PortClaim[]
  readonly required: TaskGroup['affinities']
  readonly wished: TaskGroup['affinities']
  /** Nothing but CPU and memory can be in its way on a node that it may go to. */
  readonly isPlain: boolean
  placed: number
  /** Where its tasks stand: of a group that keeps others away. */
  readonly guarded: Domains
}

export function groupKeyOf(group: TaskGroup): string {
  return `${group.serviceId}@${group.revision}`
}

export function groupStateOf(group: TaskGroup, service: ServiceState): GroupState {
  const required = group.affinities.filter((affinity) => affinity.isRequired)
  const claims = claimsOf(group)
  return {
    key: groupKeyOf(group),
    group,
    service,
    constraints: group.constraints.map(constraintOf),
    signature: JSON.stringify([
      group.constraints.map(({ key, operator, value }) => [key, operator, value]),
      group.platforms.map(({ os, architecture }) => [os, architecture]),
    ]),
    claims,
    required,
    wished: group.affinities.filter((affinity) => !affinity.isRequired),
    isPlain: claims.length === 0 && group.volumes.length === 0 && group.maxPerNode === 0 && required.length === 0,
    placed: 0,
    guarded: new Map(),
  }
}

export function serviceStateOf(group: TaskGroup): ServiceState {
  return { id: group.serviceId, name: group.serviceName, counts: new Map(), total: 0, domains: new Map() }
}
