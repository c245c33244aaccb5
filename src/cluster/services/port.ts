import type { Actor, NodeRecord, RevisionParts, RevisionRecord, RunRecord, ServiceRecord, TaskRecord } from '#cluster/model'
import type { ServiceSpec } from '#cluster/spec'

/**
 * Services, their revisions and tasks, and the nodes that run them. What a call returned from is written down; the work goes on behind. Whatever takes a `ref` takes
 * an id, a name, or the beginning of exactly one id. A `version`, where given, is the one that the caller saw: `service.changed` when it is not the newest.
 */
export interface Services {
  /** Errors: `service.name_in_use`, `service.too_many`, `service.too_many_tasks`. */
  create(wish: ServiceWish): Promise<Versioned<ServiceRecord>>
  /**
   * A new revision when what is wanted differs, and a rollout to it when tasks have to be made anew. What is wanted already is no change, but a rollout that stands still
   * goes on. Takes the place of a rollout under way. Errors: `service.not_found`, `service.changed`, `service.is_being_removed`, `service.too_many_tasks`, and
   * `service.not_possible` for another mode.
   */
  update(ref: string, wish: ServiceWish, version?: number): Promise<ServiceChange>
  /** A rollout to the previous revision. Errors: as `update`, `service.not_possible` when there is none. */
  rollback(ref: string, by: string, version?: number): Promise<Versioned<ServiceRecord>>
  /** No new revision. Errors: as `update`; `service.not_possible` for one that is not replicated. */
  scale(ref: string, replicas: number, version?: number): Promise<Versioned<ServiceRecord>>
  /** Holds a rollout where it is, and all replacing and scaling. Errors: `service.not_found`, `service.is_being_removed`. */
  pause(ref: string): Promise<Versioned<ServiceRecord>>
  /** Lets it go on, also a rollout that stands still because of failures. */
  resume(ref: string): Promise<Versioned<ServiceRecord>>
  /** The rollout goes on to its end whatever was or would be judged. Errors: as `pause`; `service.not_possible`: none is under way. */
  promote(ref: string): Promise<Versioned<ServiceRecord>>
  /** The rollout ends and goes back to where it came from. Errors: as `promote`. */
  abort(ref: string): Promise<Versioned<ServiceRecord>>
  /** Its tasks go, then the record. Being removed already: fine. Errors: `service.not_found`. */
  remove(ref: string): Promise<void>
  /** Errors: `service.not_found`, `service.ambiguous`. */
  get(ref: string): Promise<ServiceSight>
  /** By name. */
  list(): Promise<readonly ServiceSight[]>
  /** The oldest first. Errors: `service.not_found`. */
  revisions(ref: string): Promise<readonly RevisionRecord[]>
  /** The youngest first. Errors: `service.task_not_found`, `service.ambiguous`. */
  tasks(filter?: TaskFilter): Promise<readonly Versioned<TaskRecord>[]>
  task(ref: string): Promise<Versioned<TaskRecord>>
  /** By hostname. */
  nodes(): Promise<readonly Versioned<NodeRecord>[]>
  /** By id, hostname or the beginning of an id. Errors: `service.node_not_found`, `service.ambiguous`. */
  node(ref: string): Promise<Versioned<NodeRecord>>
  /** Errors: `service.node_not_found`, `service.changed`. */
  updateNode(ref: string, change: NodeChange, version?: number): Promise<Versioned<NodeRecord>>
  /** Forgets a node that is down. Errors: `service.node_not_found`, `service.node_in_use` unless `isForced`. */
  removeNode(ref: string, isForced: boolean): Promise<void>
  /**
   * First everything as it is, then each change, without a gap. A value of null: it is gone. Ends with the signal.
   */
  watch(signal: AbortSignal): AsyncIterable<ServicesEvent>
  /** The same in somebody's name: it stands in the history of what they change. */
  as(actor: Actor): Services
}

/** A record, and the revision of the store that it was written with: Docker's `Version.Index`. */
export interface Versioned<T> {
  readonly record: T
  readonly version: number
}

export interface ServiceSight extends Versioned<ServiceRecord> {
  /** The one that is wanted. */
  readonly revision: RevisionRecord
  readonly previous: RevisionRecord | null
  /** How many tasks it is to have now: replicas, nodes that fit, or what runs want. */
  readonly desiredTasks: number
  /** Of them those that run, of whichever revision. */
  readonly runningTasks: number
  /** Of the wanted revision, and ready. */
  readonly readyTasks: number
  /** Of jobs: tasks that ended with 0, of the youngest run. */
  readonly completedTasks: number
  /** Why it is not as wanted yet, the weightiest first; empty: it is. */
  readonly waits: readonly Wait[]
  /** Of a job: its youngest run. Absent: there is none. */
  readonly run?: RunRecord
  /** Of the record that `waits` were planned from; absent: it was not planned yet. */
  readonly plannedVersion?: number
}

/** Why something is not there yet. */
export interface Wait {
  readonly serviceId: string
  /** When it is about one task. */
  readonly taskId: string | null
  readonly reason: string
  /** When to look again at the latest; null: when something happens. */
  readonly untilMs: number | null
  /** It will hardly come right by itself; it is tried on all the same where that can help. */
  readonly isHopeless: boolean
  /** It goes on when somebody says so. Absent: by itself. */
  readonly isHeld?: boolean
}

export interface ServiceWish {
  /** Over the whole cluster: `stack_service`. */
  readonly name: string
  readonly stack: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly spec: ServiceSpec
  readonly parts: RevisionParts
  /** Content id; null: each node looks the reference up. */
  readonly imageId: string | null
  /** Who asks: a user's name. */
  readonly by: string
  /** Makes new tasks though nothing changed (`--force`): another number than that of the revision before. Absent: 0. */
  readonly forced?: number
}

export interface ServiceChange extends Versioned<ServiceRecord> {
  /** False: it was wanted already. */
  readonly isChanged: boolean
}

export interface TaskFilter {
  /** Id or name of a service, of a node. */
  readonly service?: string
  readonly node?: string
  readonly isEnded?: boolean
}

export interface NodeChange {
  readonly labels?: Readonly<Record<string, string>>
  readonly availability?: NodeRecord['availability']
  readonly role?: NodeRecord['role']
}

export type ServicesEvent =
  | { readonly kind: 'service'; readonly id: string; readonly version: number; readonly record: ServiceRecord | null }
  | { readonly kind: 'task'; readonly id: string; readonly version: number; readonly record: TaskRecord | null }
  | { readonly kind: 'node'; readonly id: string; readonly version: number; readonly record: NodeRecord | null }
  | { readonly kind: 'run'; readonly id: string; readonly version: number; readonly record: RunRecord | null }
  /** All that was there when the watch began has been told. */
  | { readonly kind: 'all-told'; readonly version: number }
