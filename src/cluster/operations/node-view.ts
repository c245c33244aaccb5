import type { NodeRecord, TaskRecord } from '#cluster/model'

/** A node as people see it in a list. */
export interface NodeView {
  readonly id: string
  readonly hostname: string
  readonly role: NodeRecord['role']
  readonly availability: NodeRecord['availability']
  readonly state: NodeRecord['status']['state']
  /** Why it is in this state; empty: nothing to say. */
  readonly message: string
  readonly sinceMs: number
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
  readonly engineLabels: Readonly<Record<string, string>>
  readonly platform: string
  readonly nanoCpus: number
  readonly memoryBytes: number
  readonly engineVersion: string
  /** Tasks on it that live. */
  readonly tasks: number
  readonly createdAtMs: number
}

export function nodeView(node: NodeRecord, tasks: readonly TaskRecord[]): NodeView {
  const { description, status } = node
  return {
    id: node.id,
    hostname: description.hostname,
    role: node.role,
    availability: node.availability,
    state: status.state,
    message: status.message,
    sinceMs: status.sinceMs,
    address: status.address,
    labels: node.labels,
    engineLabels: description.engineLabels,
    platform: `${description.platform.os}/${description.platform.architecture}`,
    nanoCpus: description.nanoCpus,
    memoryBytes: description.memoryBytes,
    engineVersion: description.engineVersion,
    tasks: tasks.filter(({ nodeId }) => nodeId === node.id).length,
    createdAtMs: node.createdAtMs,
  }
}
