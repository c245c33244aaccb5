/** Where tasks may and should be. Every part of it can say why a node is not taken. */
export interface PlacementSpec {
  readonly constraints: readonly PlacementConstraint[]
  /** In order: tasks are spread evenly over the values of the first label, among each over those of the second, and so on. */
  readonly preferences: readonly { readonly spread: string }[]
  /** 0: no bound. */
  readonly maxReplicasPerNode: number
  readonly affinities: readonly AffinitySpec[]
  /** The higher goes first, and may take the place of lower ones. Default 0. */
  readonly priority: number
  readonly platforms: readonly { readonly os: string; readonly architecture: string }[]
}

/** `node.labels.zone == a`, `node.hostname != db1`, `node.role == manager`, `engine.labels.x == y`, `node.platform.arch == x86_64`. */
export interface PlacementConstraint {
  readonly key: string
  readonly operator: '==' | '!='
  readonly value: string
}

/** Near to, or away from, tasks of other services. */
export interface AffinitySpec {
  readonly type: 'affinity' | 'anti-affinity'
  /** Name of a service of the same stack, or `stack/service`; its own name among them. */
  readonly service: string
  /** Nodes with the same value of this label count as one place; `node.id`: each its own. */
  readonly topology: string
  /** False: a wish, and not a condition. */
  readonly isRequired: boolean
}
