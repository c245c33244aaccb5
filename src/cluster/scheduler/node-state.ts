import { createHash } from 'node:crypto'

import type { GroupState } from './group-state.ts'
import { overlaps, type PortClaim } from './host-ports.ts'
import type { SchedulableNode } from './port.ts'

/** A node with what stands on it. Its amounts are in the ledger's arrays, under its slot. */
export interface NodeState {
  readonly slot: number
  readonly node: SchedulableNode
  /** Nodes that no constraint can tell apart, but for their own ids, names and addresses. */
  readonly className: string
  readonly tasks: Set<PlacedState>
  /** Addresses by port. */
  readonly ports: Map<string, string[]>
}

export interface PlacedState {
  readonly id: string
  readonly nodeId: string
  readonly state: GroupState
}

export function classNameOf(node: SchedulableNode): string {
  return JSON.stringify([
    node.isReady,
    node.availability,
    node.role,
    node.platform.os,
    node.platform.architecture,
    Object.entries(node.labels).toSorted(byName),
    Object.entries(node.engineLabels).toSorted(byName),
  ])
}

/** A number for each node, which looks like chance and is always the same: it decides between equals. */
export function rankOf(nodeId: string, seed: number): number {
  return createHash('sha256').update(`${seed}/${nodeId}`).digest().readUIntBE(0, 6)
}

export function isTaken(node: NodeState, claim: PortClaim): boolean {
  return node.ports.get(claim.port)?.some((address) => overlaps(address, claim.address)) ?? false
}

export function claimPorts(node: NodeState, claims: readonly PortClaim[]): void {
  for (const { port, address } of claims) node.ports.set(port, [...(node.ports.get(port) ?? []), address])
}

export function releasePorts(node: NodeState, claims: readonly PortClaim[]): void {
  for (const { port, address } of claims) {
    const addresses = node.ports.get(port) ?? []
    const left = addresses.toSpliced(addresses.indexOf(address), 1)
    if (left.length === 0) node.ports.delete(port)
    else node.ports.set(port, left)
  }
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
