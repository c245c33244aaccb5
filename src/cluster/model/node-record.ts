/** A machine that runs tasks. */
export interface NodeRecord {
  readonly id: string
  /** The user's; `node.labels.X` in constraints. */
  readonly labels: Readonly<Record<string, string>>
  readonly role: 'worker' | 'manager'
  /** `pause`: it gets no new tasks. `drain`: its tasks go elsewhere. */
  readonly availability: 'active' | 'pause' | 'drain'
  readonly createdAtMs: number
  readonly updatedAtMs: number
  readonly description: NodeDescription
  readonly status: NodeStatus
}

/** What the node says of itself. */
export interface NodeDescription {
  readonly hostname: string
  readonly platform: { readonly os: string; readonly architecture: string }
  readonly nanoCpus: number
  readonly memoryBytes: number
  /** `engine.labels.X` in constraints. */
  readonly engineLabels: Readonly<Record<string, string>>
  readonly engineVersion: string
  /** Names of the volumes that it has, as the engine calls them: tasks that use one go there. Absent: not told. */
  readonly volumes?: readonly string[]
}

export interface NodeStatus {
  /** `down`: its lease ran out; its tasks are `orphaned` after a while. */
  readonly state: 'unknown' | 'ready' | 'down' | 'disconnected'
  readonly sinceMs: number
  readonly message: string
  /** Where others reach it. */
  readonly address: string
}
