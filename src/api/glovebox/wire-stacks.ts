import type { StackSpec } from '#cluster/spec'

/** Body of `PUT /glovebox/v1/stacks/{name}`: what the user wants. */
export interface StackDesired {
  /** The Compose file as it was read: variables, relative paths and defaults filled in. */
  readonly model: StackSpec
  /** For each service, the image it runs: built, bootstrapped or found by the client. */
  readonly images: Readonly<Record<string, ResolvedImage>>
  /** Of the model's secrets and configs that are not external, by key. Absent: it has none. Kept apart from the model, and never given back. */
  readonly values?: StackValues
}

/** Base64. */
export interface StackValues {
  readonly secrets: Readonly<Record<string, string>>
  readonly configs: Readonly<Record<string, string>>
}

export interface ResolvedImage {
  readonly reference: string
  /** `sha256:...` of the image's configuration: a rebuilt image under one name is another image. */
  readonly id: string
}

/** Answer of PUT. */
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
  /** `ready`: every service has its replicas, healthy. `failed`: it will not get there without help. */
  readonly state: 'converging' | 'ready' | 'failed' | 'removing'
  readonly directory: string
  readonly services: readonly StackService[]
  readonly volumes: readonly string[]
}

export interface StackService {
  readonly name: string
  readonly image: string
  /** `replicated` runs until told otherwise; a `job` is done once it ended with 0. */
  readonly mode: 'replicated' | 'global' | 'job'
  readonly state: 'waiting' | 'starting' | 'ready' | 'failed' | 'done'
  readonly desiredReplicas: number
  readonly readyReplicas: number
  /** Why it is not there yet, in a full sentence; null once it is. */
  readonly whyNotYet: string | null
  /** It goes on when somebody says so. Absent: by itself. */
  readonly isHeld?: boolean
  readonly ports: readonly StackPort[]
  /** Addresses a person can open on this host, such as `http://localhost:8080`. */
  readonly urls: readonly string[]
  readonly tasks: readonly StackTask[]
}

export interface StackPort {
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp'
}

export interface StackTask {
  /** `web.1`. */
  readonly name: string
  readonly slot: number
  readonly state: string
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly containerId: string | null
  readonly restarts: number
  /** The last failure, for people. */
  readonly message: string | null
}

/** One line of `GET /glovebox/v1/stacks/{name}/wait`: the status, then each change of it, and `settled` as the last line. */
export type StackEvent =
  | { readonly kind: 'status'; readonly status: StackStatus }
  | {
      readonly kind: 'settled'
      readonly outcome: 'ready' | 'failed'
      readonly reasons: readonly string[]
      readonly status: StackStatus
    }
  | { readonly kind: 'removed' }
