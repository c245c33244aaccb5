import type { Archives } from '#engine/archives'
import type { Builder } from '#engine/builder'
import type { Containers } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Images } from '#engine/images'
import type { Networks } from '#engine/network'
import type { Registries } from '#engine/registry'
import type { Volumes } from '#engine/volumes'

import type { DockerSwarm } from './swarm/port.ts'

/** What the API needs of the networks; sandboxes and endpoints are the containers' own business. */
export type ApiNetworks = Pick<Networks, 'list' | 'get' | 'create' | 'remove'>

/** Who uses a volume at the moment is between the engine and itself. */
export type ApiVolumes = Omit<Volumes, 'hold' | 'release' | 'exclusively'>

/** The ways in, out and about that clients have. Layers are the builder's business. */
export type ApiImages = Pick<Images, 'get' | 'find' | 'list' | 'tag' | 'remove' | 'load' | 'save' | 'import' | 'prune'>

/** All that the Docker API asks of the engine beneath it. The daemon plugs the real one in, tests a fake. */
export interface DockerApiEngine {
  readonly containers: Containers
  readonly images: ApiImages
  readonly networks: ApiNetworks
  readonly volumes: ApiVolumes
  readonly events: Events
  readonly system: EngineSystem
  readonly build?: Pick<Builder, 'build' | 'prune' | 'usage'>
  readonly archives?: Archives
  readonly registries?: Registries
  /** Absent: as a node that is in no swarm and cannot be. */
  readonly swarm?: DockerSwarm
}

export interface EngineSystem {
  version(): EngineVersion
  info(): EngineHost
  /** What stays as it is while the daemon runs: asked for by nearly every request, so it must cost nothing. */
  facts(): EngineFacts
  /** Left out: everything can be limited. */
  limitSupport?(): LimitSupport
  /** A client is about to start something: a chance to do slow kernel work while its next request travels. Must return at once. */
  expectWork?(): void
}

export interface EngineFacts extends Pick<EngineHost, 'cpus' | 'memoryBytes' | 'storageDriver' | 'runtimes'> {
  readonly hasAppArmor: boolean
}

/** What this host's kernel can limit. */
export interface LimitSupport {
  readonly hasMemory: boolean
  readonly hasSwap: boolean
  readonly hasSwappiness: boolean
  readonly hasOomKillDisable: boolean
  readonly hasPids: boolean
  readonly hasCpuShares: boolean
  readonly hasCpuQuota: boolean
  readonly hasCpuRealtime: boolean
  readonly hasCpuset: boolean
  /** `0-3`; empty: not known. */
  readonly availableCpus: string
  readonly availableMems: string
  readonly hasBlkioWeight: boolean
  readonly hasBlkioWeightDevice: boolean
  readonly hasBlkioThrottle: boolean
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
  /** Of containers that say nothing of their log. */
  readonly logDriver: string
  /** As they were configured; this machine's own addresses are always insecure. */
  readonly registries: { readonly mirrors: readonly string[]; readonly insecure: readonly string[] }
  /** Where the subnets of networks come from; empty: our own pools. */
  readonly addressPools: readonly { readonly base: string; readonly size: number }[]
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
