import type { ChangePlan } from '#cluster/changes'
import type { Actor } from '#cluster/model'
import type { StackSpec } from '#cluster/spec'

/** The applications that are wanted here. What `apply` and `remove` returned from survives a crash; the work itself goes on behind. */
export interface Stacks extends AsyncDisposable {
  /**
   * Writes down what is wanted. `images`: image id by service, as the caller resolved them; those left out are looked up on the node by
   * reference, again and again until they are there. Errors: `stack.is_being_removed`, `stack.port_taken`, `stack.name_taken`, `stack.too_many`.
   */
  apply(spec: StackSpec, images: Readonly<Record<string, string>>, asked?: Asked): Promise<StackChange>
  /** What `apply` would change; nothing is. `versions`: of secrets and configs that would be another one. Errors: as `apply`. */
  preview(
    spec: StackSpec,
    images: Readonly<Record<string, string>>,
    versions: Readonly<Record<string, number>>,
  ): Promise<ChangePlan>
  /** What `remove` would take away; nothing is. Errors: `stack.not_found`. */
  previewRemoval(name: string, options: { readonly volumes: boolean }): Promise<ChangePlan>
  list(): readonly StackSummary[]
  /** Errors: `stack.not_found`. */
  get(name: string): StackStatus
  /** First the status as it is, then each change; ends after `settled`, or `removed` for one that is being removed. Errors: `stack.not_found`. */
  watch(name: string, signal: AbortSignal): AsyncIterable<StackEvent>
  /** Resolves when all of it is gone. The removal goes on when the signal ends the wait. Errors: `stack.not_found`. */
  remove(
    name: string,
    options: { readonly volumes: boolean; readonly signal: AbortSignal; readonly actor?: Actor },
  ): Promise<void>
  /** Those that are to stay, as they are wanted. */
  specs(): readonly StackSpec[]
  /** Called after each change of what is wanted, and after each round of making it so. */
  listen(changed: () => void): Disposable
  /** What services of stacks that are to stay run on, in the order of the file: the id that was pinned, or the reference that is looked up as long as there is none. */
  wantedImages(): readonly { readonly stack: string; readonly image: string }[]
}

export interface Asked {
  /** In whose name: it stands in the history. */
  readonly actor?: Actor
  /** Only if it is what was shown; `stack.outdated` when it is another by now. */
  readonly planId?: string
}

export interface StackChange {
  readonly name: string
  /** Counts up with each accepted change. */
  readonly revision: number
  /** False: what is wanted was wanted already. It may still be on its way there. */
  readonly isChanged: boolean
  /** By the names of services in the cluster: the revision that is wanted now. */
  readonly revisions?: Readonly<Record<string, number>>
  /** One line each, for people: `web: 2 replicas (were 1)`. */
  readonly changes: readonly string[]
  /** Odd but accepted. */
  readonly warnings: readonly string[]
}

export interface StackSummary {
  readonly name: string
  readonly state: StackStatus['state']
  readonly services: number
  readonly runningTasks: number
  readonly desiredTasks: number
  readonly directory: string
}

export interface StackStatus {
  readonly name: string
  readonly revision: number
  /** `ready`: every service has its replicas, healthy. `failed`: it will hardly get there without help. */
  readonly state: 'converging' | 'ready' | 'failed' | 'removing'
  readonly directory: string
  readonly services: readonly ServiceStatus[]
  /** Names on the node. */
  readonly volumes: readonly string[]
  /** About the stack as a whole, such as a network that cannot be made. */
  readonly whyNotYet: string | null
}

export interface ServiceStatus {
  readonly name: string
  readonly image: string
  /** `replicated` runs until told otherwise; a `job` is done once it ended with 0. */
  readonly mode: 'replicated' | 'global' | 'job'
  readonly state: 'waiting' | 'starting' | 'ready' | 'failed' | 'done'
  readonly desiredReplicas: number
  readonly readyReplicas: number
  /** Why it is not there yet; null once it is. */
  readonly whyNotYet: string | null
  /** It goes on when somebody says so. Absent: by itself. */
  readonly isHeld?: boolean
  readonly ports: readonly PublishedPort[]
  /** Addresses a person can open on this host, such as `http://localhost:8080`. */
  readonly urls: readonly string[]
  readonly tasks: readonly TaskStatus[]
}

export interface PublishedPort {
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

export interface TaskStatus {
  /** `web.1`. */
  readonly name: string
  readonly slot: number
  readonly state: string
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly containerId: string | null
  readonly containerName: string
  /** Ends in a row lately. */
  readonly restarts: number
  /** The last failure, for people. */
  readonly message: string | null
}

export type StackEvent =
  | { readonly kind: 'status'; readonly status: StackStatus }
  | {
      readonly kind: 'settled'
      readonly outcome: 'ready' | 'failed'
      readonly reasons: readonly string[]
      readonly status: StackStatus
    }
  | { readonly kind: 'removed' }
