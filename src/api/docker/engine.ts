import type { Readable } from 'node:stream'

import type { Containers, EndpointSpec } from '#engine/containers'
import type { Events } from '#engine/events'
import type { ImageProgress, Images } from '#engine/images'
import type { Volumes } from '#engine/volumes'

/** All that the Docker API asks of the engine beneath it. The daemon plugs the real one in, tests a fake. */
export interface DockerApiEngine {
  readonly containers: Containers
  readonly images: Images
  readonly networks: ApiNetworks
  readonly volumes: Volumes
  readonly events: Events
  readonly system: EngineSystem
  readonly build?: ClassicBuilds
  readonly archives?: Archives
  readonly pulls?: ImagePulls
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
  readonly isDebug: boolean
  /** Containers outlive the daemon. */
  readonly isLiveRestoring: boolean
  readonly eventListeners: number
  readonly openFiles: number
}

export interface ApiNetwork {
  readonly id: string
  readonly name: string
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string
  readonly driver: string
  readonly scope: 'local' | 'swarm'
  readonly hasIpv4: boolean
  readonly hasIpv6: boolean
  readonly isInternal: boolean
  readonly isAttachable: boolean
  readonly ipam: ApiIpam
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

export interface ApiIpam {
  readonly driver: string
  readonly options: Readonly<Record<string, string>>
  readonly pools: readonly {
    readonly subnet: string
    /** Empty: the whole subnet. */
    readonly ipRange: string
    /** Empty: chosen. */
    readonly gateway: string
    readonly auxiliaryAddresses: Readonly<Record<string, string>>
  }[]
}

export interface NetworkRequest {
  readonly name: string
  readonly driver: string
  readonly hasIpv4: boolean
  readonly hasIpv6: boolean
  readonly isInternal: boolean
  readonly isAttachable: boolean
  readonly ipam: ApiIpam
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

/** `ref`: a name, a full id, or an unambiguous prefix of one. Errors: `network.not_found`, `network.name_in_use`, `network.in_use`, `network.predefined`. */
export interface ApiNetworks {
  list(): readonly ApiNetwork[]
  get(ref: string): ApiNetwork
  create(request: NetworkRequest): Promise<{ readonly id: string; readonly warning: string }>
  remove(ref: string): Promise<void>
  connect(ref: string, container: string, endpoint: EndpointSpec): Promise<void>
  disconnect(ref: string, container: string, options: { readonly force: boolean }): Promise<void>
  /** Removes the user's networks that no container refers to and that `keep` does not want. Gives the names. */
  prune(keep: (network: ApiNetwork) => boolean): Promise<readonly string[]>
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
  readonly shmBytes: number | null
  readonly memoryBytes: number | null
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

/** Files in and out of a container, as `docker cp` does it. */
export interface Archives {
  stat(
    container: string,
    path: string,
  ): Promise<{
    readonly name: string
    readonly sizeBytes: number
    /** As Go's os.FileMode counts. */
    readonly mode: number
    /** RFC 3339 with nanoseconds. */
    readonly modifiedAt: string
    readonly linkTarget: string
  }>
  get(container: string, path: string): Promise<Readable>
  put(
    container: string,
    path: string,
    tar: Readable,
    options: { readonly noOverwriteDirNonDir: boolean; readonly copyUidGid: boolean },
  ): Promise<void>
}

/** Images from registries. */
export interface ImagePulls {
  pull(request: {
    readonly ref: string
    readonly platform: string | null
    /** Decoded X-Registry-Auth. */
    readonly credentials: Readonly<Record<string, string>> | null
    readonly signal: AbortSignal
  }): AsyncIterable<ImageProgress>
}
