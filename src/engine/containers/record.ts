import type { ContainerId } from '#base'

import type { ContainerSpec } from './spec.ts'

/** What is observed of a container, as it was last written to the store. A container moves along these: created → running ⇄ paused → exited → removing. */
export interface ContainerStatus {
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'removing' | 'dead'
  /** 0 when not running. In the host's PID namespace. */
  readonly pid: number
  readonly exitCode: number
  /** Why the last start failed, in the words of whoever refused. */
  readonly error: string
  readonly isOomKilled: boolean
  /** RFC 3339 with nanoseconds; empty: never. */
  readonly startedAt: string
  readonly finishedAt: string
  readonly restartCount: number
  /** The user stopped it: `unless-stopped` and `always` leave it alone until it is started by hand (always: or until the daemon restarts). */
  readonly isManuallyStopped: boolean
  readonly health: HealthStatus | null
  /** Present while running and after: what the network gave. Keys are network names. */
  readonly endpoints: Readonly<Record<string, EndpointStatus>>
  readonly ports: readonly PublishedPort[]
}

export interface HealthStatus {
  readonly status: 'starting' | 'healthy' | 'unhealthy'
  readonly failingStreak: number
  /** The last five probes, oldest first. */
  readonly log: readonly { readonly start: string; readonly end: string; readonly exitCode: number; readonly output: string }[]
}

export interface EndpointStatus {
  readonly networkId: string
  readonly endpointId: string
  readonly gateway: string
  readonly ipAddress: string
  readonly ipPrefixLength: number
  readonly ipv6Gateway: string
  readonly ipv6Address: string
  readonly ipv6PrefixLength: number
  readonly macAddress: string
  readonly aliases: readonly string[]
  /** Names that the embedded DNS answers for it. */
  readonly dnsNames: readonly string[]
}

export interface PublishedPort {
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
}

export interface ContainerRecord {
  readonly id: ContainerId
  /** Without the leading slash of the Docker API. */
  readonly name: string
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string
  readonly spec: ContainerSpec
  readonly status: ContainerStatus
  /** Volumes and binds as resolved at creation: anonymous ones have a name now. */
  readonly mounts: readonly ResolvedMount[]
}

export interface ResolvedMount {
  readonly type: 'bind' | 'volume' | 'tmpfs'
  /** Volume name; empty for others. */
  readonly name: string
  /** Path on the host; empty for tmpfs. */
  readonly source: string
  readonly target: string
  readonly driver: string
  readonly isReadOnly: boolean
  readonly propagation: string
}
