/** What is known of everything that runs, or should: plain values, so that each diagnosis is a function of them. Lists are bounded by whoever gathers them. */
export interface WhyFacts {
  readonly nowMs: number
  readonly services: readonly ServiceFacts[]
  readonly tasks: readonly TaskFacts[]
  readonly containers: readonly ContainerFacts[]
  readonly nodes: readonly NodeFacts[]
  /** Names of the images that are here. */
  readonly images: readonly ImageFacts[]
  /** Images that could not be fetched, the last try of each. */
  readonly pulls: readonly FailedPull[]
  readonly routes: readonly RouteFacts[]
  /** Names that containers asked for in vain. */
  readonly names: readonly UnknownName[]
  /** Connections that the policy refused. */
  readonly refused: readonly RefusedConnection[]
  readonly pools: PoolFacts
  /** Containers that had to be killed because they did not end in time. */
  readonly slowEnds: readonly SlowEnd[]
  readonly host: HostSight
}

export interface ServiceFacts {
  readonly id: string
  /** `shop_web`. */
  readonly name: string
  /** `web`: inside its application. */
  readonly shortName: string
  /** null: it stands alone. */
  readonly stack: string | null
  readonly image: string
  /** null: it is not here. */
  readonly imageId: string | null
  readonly isJob: boolean
  readonly state: 'active' | 'paused' | 'removing'
  readonly desiredTasks: number
  readonly runningTasks: number
  readonly readyTasks: number
  readonly revision: number
  readonly waits: readonly WaitFacts[]
  readonly dependsOn: readonly { readonly service: string; readonly condition: string }[]
  readonly rollout: RolloutFacts | null
  /** Of jobs, the oldest first. */
  readonly runs: readonly RunFacts[]
  /** Of jobs that have one. */
  readonly schedule: ScheduleFacts | null
  /** What its checks look at, by kind: `GET :8080/ready, every 2 s`. */
  readonly checks: Readonly<Partial<Record<'startup' | 'readiness' | 'liveness', string>>>
}

export interface WaitFacts {
  readonly reason: string
  readonly isHopeless: boolean
  readonly taskId: string | null
}

export interface RolloutFacts {
  readonly from: number | null
  readonly to: number
  readonly state: 'running' | 'paused' | 'completed' | 'failed' | 'rolling-back' | 'rolled-back' | 'aborted'
  readonly reason: string
  readonly startedAtMs: number
  readonly endedAtMs: number | null
  readonly stepStartedAtMs: number
  readonly weightPercent: number | null
  /** The last judgement of a canary; null: there was none. */
  readonly judgement: { readonly verdict: 'good' | 'bad' | 'too-little'; readonly reason: string } | null
}

export interface RunFacts {
  readonly id: string
  readonly state: 'running' | 'succeeded' | 'failed' | 'cancelled'
  readonly reason: string
  readonly createdAtMs: number
  readonly endedAtMs: number | null
}

export interface ScheduleFacts {
  readonly cron: string
  readonly isSuspended: boolean
  readonly missed: number
  readonly skipped: number
  /** What came of the last time; empty before the first. */
  readonly note: string
  readonly updatedAtMs: number
}

export interface TaskFacts {
  readonly id: string
  /** `web.1`, without its service's application. */
  readonly name: string
  readonly serviceId: string
  /** Which place it has among those of its service; an ended task and the one that took its place have the same. */
  readonly seat: string
  /** Of the run of a job; null: it is of none. */
  readonly runId: string | null
  readonly state: string
  /** `ready`: held before its start. */
  readonly desiredState: 'ready' | 'running' | 'shutdown' | 'remove'
  /** It will never run again. */
  readonly isEnded: boolean
  readonly isReady: boolean
  readonly sinceMs: number
  readonly createdAtMs: number
  readonly startedAtMs: number | null
  readonly startAfterMs: number
  /** Ends in a row of its place before it. */
  readonly failures: number
  readonly message: string
  readonly error: string
  readonly exitCode: number | null
  readonly isOomKilled: boolean
  readonly health: 'starting' | 'healthy' | 'unhealthy' | null
  readonly healthOutput: string
  readonly containerId: string | null
  readonly nodeId: string | null
  readonly refusals: readonly RefusalFacts[]
}

export interface RefusalFacts {
  readonly filter: string
  readonly nodes: number
  readonly reason: string
  readonly advice: string
}

export interface ContainerFacts {
  readonly id: string
  readonly name: string
  readonly image: string
  /** Of a task of a service; null: it stands alone. */
  readonly taskId: string | null
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead'
  readonly command: string
  readonly exitCode: number
  /** Why its last start failed; empty when it did not. */
  readonly error: string
  readonly isOomKilled: boolean
  readonly isStoppedByHand: boolean
  readonly createdAtMs: number
  readonly startedAtMs: number | null
  readonly finishedAtMs: number | null
  readonly restartPolicy: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  readonly restarts: number
  readonly isReadOnlyRoot: boolean
  readonly health: HealthFacts | null
  readonly memory: MemoryFacts
  /** The youngest of what it wrote, where it has trouble. */
  readonly lastLines: readonly string[]
  readonly mounts: readonly MountFacts[]
}

export interface HealthFacts {
  readonly status: 'starting' | 'healthy' | 'unhealthy'
  readonly failingStreak: number
  readonly test: string
  /** Of the last probe; null: there was none. */
  readonly last: { readonly exitCode: number; readonly output: string } | null
}

export interface MemoryFacts {
  /** null: none of its own. */
  readonly limitBytes: number | null
  /** The most that there was in its last life; null: nobody knows. */
  readonly peakBytes: number | null
  /** Processes of it that the kernel killed for want of memory, in its last life. */
  readonly kills: number
  /** Of its last life, the oldest first. */
  readonly samples: readonly MemorySample[]
}

export interface MemorySample {
  readonly atMs: number
  /** Without what the kernel can take back at once. */
  readonly bytes: number
}

export interface MountFacts {
  readonly type: 'bind' | 'volume'
  /** Name of a volume, path of a bind. */
  readonly source: string
  readonly target: string
  readonly isThere: boolean
  /** null: cannot be told. */
  readonly availableBytes: number | null
  readonly totalBytes: number | null
}

export interface NodeFacts {
  readonly id: string
  readonly hostname: string
  readonly availability: 'active' | 'pause' | 'drain'
  readonly state: 'unknown' | 'ready' | 'down' | 'disconnected'
  readonly sinceMs: number
  readonly message: string
}

export interface ImageFacts {
  readonly id: string
  readonly names: readonly string[]
}

export interface FailedPull {
  /** `busybox:latest`. */
  readonly image: string
  readonly atMs: number
  /** Of the error, such as `registry.manifest_unknown`. */
  readonly code: string
  readonly message: string
  /** Empty: nobody knows what to do. */
  readonly hint: string
}

export interface RouteFacts {
  readonly id: string
  readonly hostIp: string
  readonly hostPort: number
  readonly hosts: readonly string[]
  readonly path: string
  readonly certificate: string | null
  /** Why it is not served, or not wholly; null: all is well. */
  readonly problem: string | null
  readonly backends: readonly { readonly isUp: boolean; readonly state: 'ready' | 'draining' | 'maintenance' }[]
  /** Whose it is; null: nobody's that is known. */
  readonly serviceId: string | null
  /** Requests that it had to answer itself with an error, since the daemon looks at it. */
  readonly unanswered: number
}

export interface UnknownName {
  readonly containerId: string
  readonly name: string
  /** `unknown`: there is none. `silent`: whoever would know does not answer. */
  readonly kind: 'unknown' | 'silent'
  readonly times: number
  readonly lastAtMs: number
  /** Names that would be answered there. */
  readonly known: readonly string[]
}

export interface RefusedConnection {
  /** `shop/web`, or an address. */
  readonly from: string
  readonly to: string
  readonly protocol: string
  /** 0 where the protocol has none. */
  readonly port: number
  readonly packets: number
  /** What decided. */
  readonly rule: string
}

export interface PoolFacts {
  /** Subnets that networks without one of their own are given. */
  readonly total: number
  readonly used: number
  readonly ranges: readonly string[]
}

export interface SlowEnd {
  readonly containerId: string
  readonly containerName: string
  readonly serviceId: string | null
  readonly taskName: string | null
  readonly atMs: number
  readonly graceMs: number
  readonly signal: string
}

/** The machine that the daemon runs on. */
export interface HostSight {
  readonly nodeId: string
  readonly disks: readonly {
    readonly path: string
    readonly what: string
    readonly availableBytes: number
    readonly totalBytes: number
  }[]
  readonly memoryBytes: number
  readonly availableMemoryBytes: number
  /** The newest moment that there is proof of; null: none. */
  readonly knownPastMs: number | null
}
