import type { Readable } from 'node:stream'

import type { Archives } from '#engine/archives'
import type { Containers } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Images } from '#engine/images'
import type { Networks } from '#engine/network'
import type { Registries } from '#engine/registry'
import type { Volumes } from '#engine/volumes'

/** What the API needs of the networks; sandboxes and endpoints are the containers' own business. */
export type ApiNetworks = Pick<Networks, 'list' | 'get' | 'create' | 'remove'>

/** The ways in, out and about that clients have. Layers are the builder's business. */
export type ApiImages = Pick<Images, 'get' | 'find' | 'list' | 'tag' | 'remove' | 'load' | 'save' | 'import' | 'prune'>

/** All that the Docker API asks of the engine beneath it. The daemon plugs the real one in, tests a fake. */
export interface DockerApiEngine {
  readonly containers: Containers
  readonly images: ApiImages
  readonly networks: ApiNetworks
  readonly volumes: Volumes
  readonly events: Events
  readonly system: EngineSystem
  readonly build?: ClassicBuilds
  readonly archives?: Archives
  readonly registries?: Registries
}

export interface EngineSystem {
  version(): EngineVersion
  info(): EngineHost
  /** A client is about to start something: a chance to do slow kernel work while its next request travels. Must return at once. */
  expectWork?(): void
}

export interface EngineVersion {
  /** Of the daemon. */
  readonly version: string
  readonly gitCommit: string
  /** RFC 3339. */
  readonly buildTime: string
  readonly kernelVersion: string
  /** As Go names it: amd64, arm64. */
  readonly architecture: string
  /** Node, the OCI runtime, the shim. */
  readonly components: readonly {
    readonly name: string
    readonly version: string
    readonly details: Readonly<Record<string, string>>
  }[]
}

export interface EngineHost {
  /** Of this daemon, for ever. */
  readonly id: string
  readonly hostname: string
  readonly rootDir: string
  readonly kernelVersion: string
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly operatingSystem: string
  readonly osVersion: string
  /** As uname(1) names it: x86_64, aarch64. */
  readonly architecture: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly cgroupVersion: '1' | '2'
  readonly cgroupDriver: 'cgroupfs' | 'systemd' | 'none'
  readonly storageDriver: string
  readonly storageStatus: readonly (readonly [label: string, value: string])[]
  /** OCI runtimes by name, with the path of each. */
  readonly runtimes: Readonly<Record<string, string>>
  readonly defaultRuntime: string
  /** `name=seccomp,profile=builtin`. */
  readonly securityOptions: readonly string[]
  readonly networkDrivers: readonly string[]
  readonly labels: readonly string[]
  readonly warnings: readonly string[]
  readonly hasMemoryLimit: boolean
  readonly hasSwapLimit: boolean
  readonly hasCpuQuota: boolean
  readonly hasCpuShares: boolean
  readonly hasCpuset: boolean
  readonly hasPidsLimit: boolean
  readonly hasOomKillDisable: boolean
  readonly hasIpv4Forwarding: boolean
  /** net.bridge.bridge-nf-call-iptables and its IPv6 twin: old CLIs warn when they are off. */
  readonly hasBridgeNetfilter: { readonly ipv4: boolean; readonly ipv6: boolean }
  readonly isDebug: boolean
  /** Containers outlive the daemon. */
  readonly isLiveRestoring: boolean
  readonly eventListeners: number
  readonly openFiles: number
}

/** What `docker build` of the classic builder asks for. */
export interface ClassicBuildRequest {
  readonly tags: readonly string[]
  /** Path in the context; `Dockerfile` unless told. */
  readonly dockerfile: string
  /** null: declared without a value. */
  readonly buildArgs: Readonly<Record<string, string | null>>
  readonly labels: Readonly<Record<string, string>>
  /** Stage to stop at; empty: the last. */
  readonly target: string
  readonly isCacheOff: boolean
  readonly shouldPull: boolean
  /** Only the id at the end. */
  readonly isQuiet: boolean
  /** `default`, `none`, `host`. */
  readonly networkMode: string
  readonly extraHosts: readonly string[]
  /** Of each RUN; null: no limit. */
  readonly limits: {
    readonly memoryBytes: number | null
    readonly memorySwapBytes: number | null
    readonly cpuShares: number | null
    readonly cpuPeriodUs: number | null
    readonly cpuQuotaUs: number | null
    readonly cpusetCpus: string
    readonly shmBytes: number | null
  }
  /** `linux/amd64`; empty: the host's. */
  readonly platform: string
}

/** Yields the lines of the classic builder's answer (`stream`, `aux`, `errorDetail`), as values for JSON. */
export interface ClassicBuilds {
  build(request: ClassicBuildRequest, context: Readable, signal: AbortSignal): AsyncIterable<Readonly<Record<string, unknown>>>
  /** Drops what only the cache holds. */
  prune(options: { readonly all: boolean }): Promise<{ readonly deleted: readonly string[]; readonly reclaimedBytes: number }>
  usage(): readonly BuildCacheUsage[]
}

export interface BuildCacheUsage {
  readonly id: string
  readonly description: string
  readonly isInUse: boolean
  readonly isShared: boolean
  readonly sizeBytes: number
  /** RFC 3339. */
  readonly createdAt: string
  readonly lastUsedAt: string | null
  readonly usageCount: number
}
