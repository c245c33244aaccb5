import type { NodeNetwork, NodeTask, NodeVolume, TaskSpec } from './node-port.ts'
import type { RouteSpec } from './route-port.ts'
import type { StackRecord } from './stack-record.ts'

/** One thing to do. `subject` names what it is done to: at most one step at a time has the same subject. */
export type Step = StepPlace &
  (
    | { readonly type: 'create-network'; readonly network: NodeNetwork }
    | { readonly type: 'remove-network'; readonly name: string }
    | { readonly type: 'create-volume'; readonly volume: NodeVolume }
    | { readonly type: 'remove-volume'; readonly name: string }
    | { readonly type: 'create-task'; readonly task: TaskSpec }
    | { readonly type: 'start-task'; readonly id: string }
    /** Give it no new connections. */
    | { readonly type: 'drain-task'; readonly id: string }
    | { readonly type: 'undrain-task'; readonly id: string }
    /** `thenStart`: it is to run again, whatever its restart policy says of an orderly end. */
    | { readonly type: 'stop-task'; readonly id: string; readonly thenStart: boolean }
    | { readonly type: 'remove-task'; readonly id: string }
    /** Nothing of the stack is left. */
    | { readonly type: 'forget-stack' }
  )

/** What is being done, behind the name of what it is done to. */
export const UNDER_WAY: Readonly<Record<Step['type'], string>> = {
  'create-network': 'is being made',
  'remove-network': 'is being removed',
  'create-volume': 'is being made',
  'remove-volume': 'is being removed',
  'create-task': 'is being created',
  'start-task': 'is being started',
  'drain-task': 'is taken out of service',
  'undrain-task': 'is put back into service',
  'stop-task': 'is being stopped',
  'remove-task': 'is being removed',
  'forget-stack': 'is being forgotten',
}

export interface StepPlace {
  /** `task/guestbook-web-1`, `network/guestbook_default`, ... */
  readonly subject: string
  readonly stack: string
  /** null: of the whole stack. */
  readonly service: string | null
  readonly reason: string
}

/** Why something is not there yet. */
export interface Wait {
  readonly stack: string
  readonly service: string | null
  /** Name of a task, when it is about one. */
  readonly task: string | null
  readonly reason: string
  /** When to look again at the latest; null: when something happens. */
  readonly untilMs: number | null
  /** It will hardly come right by itself. The reconciler goes on trying where that can help. */
  readonly isHopeless: boolean
}

export interface Plan {
  readonly steps: readonly Step[]
  readonly waits: readonly Wait[]
  /** The full list. */
  readonly routes: readonly RouteSpec[]
}

/** A task that ended, as often in a row as `failures` says. By the task's name. */
export interface Crash {
  readonly failures: number
  readonly finishedAtMs: number
}

export interface StepFailure {
  readonly failures: number
  readonly nextAtMs: number
  readonly reason: string
}

/** What the reconciler remembers between rounds. Lost with the daemon: restarts then begin again without back-off. */
export interface Memory {
  readonly crashes: ReadonlyMap<string, Crash>
  /** Since when, by task id. */
  readonly draining: ReadonlyMap<string, number>
  /** Ids of tasks that were stopped to be started again. */
  readonly startAgain: ReadonlySet<string>
  /** By subject. */
  readonly stepFailures: ReadonlyMap<string, StepFailure>
  /** By route id. */
  readonly routeFailures: ReadonlyMap<string, string>
}

/** Everything that a plan is made from. */
export interface Snapshot {
  readonly nowMs: number
  readonly stacks: readonly StackRecord[]
  readonly tasks: readonly NodeTask[]
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  /** Open connections through the router, by task name. */
  readonly connections: ReadonlyMap<string, number>
  readonly memory: Memory
  /** Steps under way, by subject: what they touch is left alone. */
  readonly busy: ReadonlyMap<string, Step>
}
