import type { StackStatus, WireRoute } from '#api/glovebox'
import type { Judgement, NodeRecord, RolloutRecord, ServiceRecord } from '#cluster/model'

/** What the live stream tells of, each by id. */
export interface LiveTopics {
  readonly containers: LiveContainer
  readonly samples: LiveSample
  readonly stacks: StackStatus
  readonly services: LiveService
  readonly tasks: LiveTask
  readonly nodes: NodeRecord
  readonly routes: LiveRoute
  /** One entry, `self`. */
  readonly host: LiveHost
  /** The latest, by a number that counts up. */
  readonly events: LiveEvent
}

export type Topic = keyof LiveTopics

/** One message of `GET /live`. `snapshot`: all there is, in the place of what was known. `delta`: what changed; null is gone. */
export interface LiveMessage {
  readonly kind: 'snapshot' | 'delta'
  readonly atMs: number
  readonly topics: { readonly [T in Topic]?: Readonly<Record<string, LiveTopics[T] | null>> }
}

export interface LiveContainer {
  readonly id: string
  readonly name: string
  readonly image: string
  readonly imageId: string
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead'
  readonly health: 'starting' | 'healthy' | 'unhealthy' | null
  readonly stack: string | null
  readonly service: string | null
  readonly taskId: string | null
  readonly createdAt: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly exitCode: number
  readonly isOomKilled: boolean
  readonly error: string
  readonly restartCount: number
  readonly hasTty: boolean
  readonly canReadLog: boolean
  readonly addresses: Readonly<Record<string, string>>
  readonly ports: readonly {
    readonly hostIp: string
    readonly hostPort: number
    readonly containerPort: number
    readonly protocol: string
  }[]
}

/** What a container uses; rates since the sample before. */
export interface LiveSample {
  readonly atMs: number
  /** 1 is one processor; null: the first sample. */
  readonly cpus: number | null
  readonly memoryBytes: number
  readonly memoryLimitBytes: number
  readonly rxBytesPerS: number | null
  readonly txBytesPerS: number | null
  readonly readBytesPerS: number | null
  readonly writeBytesPerS: number | null
  readonly pids: number
}

/** A service of the cluster: what `Services` tells of it, without its templates. */
export interface LiveService {
  readonly id: string
  readonly name: string
  readonly stack: string | null
  readonly image: string
  readonly mode: string
  readonly strategy: string
  readonly state: ServiceRecord['state']
  readonly revision: number
  readonly previousRevision: number | null
  readonly replicas: number
  readonly desiredTasks: number
  readonly runningTasks: number
  readonly readyTasks: number
  readonly completedTasks: number
  readonly rollout: RolloutRecord | null
  /** Of a canary: the weights of its steps in percent, in order. */
  readonly steps: readonly number[]
  readonly judgements: readonly Judgement[]
  readonly waits: readonly { readonly reason: string; readonly untilMs: number | null; readonly isHopeless: boolean }[]
  readonly updatedAtMs: number
}

export interface LiveTask {
  readonly id: string
  readonly serviceId: string
  readonly revision: number
  readonly slot: number | null
  readonly nodeId: string | null
  readonly containerId: string | null
  readonly desiredState: string
  readonly state: string
  readonly sinceMs: number
  readonly isReady: boolean
  readonly health: string | null
  readonly message: string
  readonly error: string
  readonly placement: string
  readonly reason: string
  readonly createdAtMs: number
}

export interface LiveRoute extends WireRoute {
  /** By group, since the reading before; the empty group is what the route answered by itself. */
  readonly rates: readonly LiveRouteRate[]
}

export interface LiveRouteRate {
  readonly group: string
  readonly requestsPerS: number
  /** Of the requests, from 0 to 1. */
  readonly errorRatio: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

export interface LiveHost {
  readonly atMs: number
  readonly name: string
  readonly kernel: string
  readonly cpus: number
  readonly load1: number
  readonly load5: number
  readonly load15: number
  /** Part of all processors that worked, from 0 to 1; null: the first reading. */
  readonly busy: number | null
  readonly memoryBytes: number
  readonly memoryAvailableBytes: number
  /** Of the file system that holds the daemon's root. */
  readonly diskBytes: number
  readonly diskFreeBytes: number
  readonly uptimeS: number
}

export interface LiveEvent {
  readonly number: number
  readonly atMs: number
  readonly type: string
  readonly action: string
  readonly id: string
  readonly name: string
  /** What else is worth reading: an exit code, an image. */
  readonly note: string
}
