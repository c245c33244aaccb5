import type { TaskStatus } from '#cluster/model'

import type { AssignedTask } from './assigned-task.ts'
import type { TaskSpec } from './node-port.ts'

/** One thing to do for one task, or for a container that belongs to none. Each can be done twice. */
export type AgentStep =
  | { readonly type: 'report'; readonly assigned: AssignedTask; readonly status: TaskStatus }
  | {
      readonly type: 'create'
      readonly assigned: AssignedTask
      readonly spec: TaskSpec
      /** Ended containers that have the name. */
      readonly aside: readonly { readonly id: string; readonly name: string }[]
    }
  | { readonly type: 'start' | 'stop' | 'remove'; readonly assigned: AssignedTask | null; readonly containerId: string }
  /** It is out of the routes from now on. */
  | { readonly type: 'begin-drain'; readonly assigned: AssignedTask }

export interface AgentPlan {
  readonly steps: readonly AgentStep[]
  /** When to look again at the latest; Infinity: when something happens. */
  readonly wakeAtMs: number
}
