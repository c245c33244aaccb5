import type { RuntimeMount } from '#oci/runtime-spec'

/** Everything that decides a container's config.json, resolved: no names to look up, no files to read. */
export interface RuntimeSpecInput {
  readonly process: ProcessInput
  readonly security: SecurityInput
  readonly namespaces: NamespacesInput
  /** A user namespace to join, and how many groups there are in it; left out: the host's. */
  readonly userNamespace?: { readonly path: string; readonly groups: number }
  /** Only in a UTS namespace of its own; empty: not set. */
  readonly hostname: string
  readonly domainname: string
  readonly rootfs: { readonly path: string; readonly isReadOnly: boolean }
  /** Laid over the default ones; one with a default's destination takes its place. */
  readonly mounts: readonly RuntimeMount[]
  readonly shmBytes: number
  /** A directory to have as /dev/shm, null for none; left out: a new one of `shmBytes`. */
  readonly shmSource?: string | null
  /** Below every hierarchy's mount point, with a leading slash. */
  readonly cgroupsPath: string
  readonly resources: ResourcesInput
  readonly sysctls: Readonly<Record<string, string>>
  readonly devices: readonly DeviceInput[]
  /** Lines such as `c 42:* rmw`. */
  readonly deviceRules: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
}

export interface ProcessInput {
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] }
  readonly isTty: boolean
  /** Of the terminal at the start. */
  readonly consoleSize: readonly [rows: number, columns: number] | null
  /** -1 is no limit. */
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  readonly oomScoreAdj: number
}

export interface SecurityInput {
  readonly isPrivileged: boolean
  /** With or without `CAP_`, in either case; `ALL`. */
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly isNoNewPrivileges: boolean
  /** `default`, `unconfined`, or the text of a profile. */
  readonly seccomp: string
  readonly apparmor?: string
  /** null: the default ones. */
  readonly maskedPaths: readonly string[] | null
  readonly readonlyPaths: readonly string[] | null
}

/**
 * `path` is a namespace made for this container, `shared` one that is another container's. The mount namespace is always a new one.
 */
export type NamespaceInput =
  | { readonly kind: 'new' }
  | { readonly kind: 'host' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'shared'; readonly path: string }

export interface NamespacesInput {
  readonly pid: NamespaceInput
  readonly ipc: NamespaceInput
  readonly uts: NamespaceInput
  readonly network: NamespaceInput
  readonly cgroup: NamespaceInput
}

/** null: not limited. */
export interface ResourcesInput {
  readonly memoryBytes: number | null
  /** Memory and swap together; -1: unlimited; null: twice the memory. */
  readonly memorySwapBytes: number | null
  readonly memoryReservationBytes: number | null
  readonly memorySwappiness?: number
  readonly isOomKillDisabled: boolean
  readonly nanoCpus: number | null
  readonly cpuShares: number | null
  readonly cpuPeriodUs: number | null
  readonly cpuQuotaUs: number | null
  readonly cpuRealtimePeriodUs?: number
  readonly cpuRealtimeRuntimeUs?: number
  /** Empty: all. */
  readonly cpusetCpus: string
  readonly cpusetMems: string
  /** null, 0 and -1: not limited. */
  readonly pidsLimit: number | null
  readonly blkioWeight: number | null
  readonly blkioDevices: readonly BlkioDeviceInput[]
  readonly blkioWeightDevices?: readonly { readonly major: number; readonly minor: number; readonly weight: number }[]
}

export interface BlkioDeviceInput {
  readonly kind: 'readBps' | 'writeBps' | 'readIops' | 'writeIops'
  readonly major: number
  readonly minor: number
  readonly rate: number
}

/** A device node of the host that is to be in the container, as stat(2) tells of it. */
export interface DeviceInput {
  readonly path: string
  readonly type: 'c' | 'b'
  readonly major: number
  readonly minor: number
  /** Permission bits. */
  readonly fileMode: number
  readonly uid: number
  readonly gid: number
  /** Of r, w, m. */
  readonly permissions: string
}

/** What this machine and this daemon can give. */
export interface SpecHostFacts {
  /** Node's name: `x64`, `arm64`; or Go's. */
  readonly architecture: string
  /** `6.18.44` */
  readonly release: string
  readonly hasSeccomp: boolean
  /** The daemon's own effective ones, `CAP_SYS_ADMIN` style. */
  readonly capabilities: readonly string[]
  /** The daemon's own, by name in lower case; Infinity: unlimited. */
  readonly rlimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>
  /** The daemon's own; 0 if left out. */
  readonly oomScoreAdj?: number
  /** Whether the kernel counts swap by cgroup; true if left out. */
  readonly hasSwapLimit?: boolean
  /** `v2` has no way to switch the OOM killer off; as v1 if left out. */
  readonly cgroupMode?: 'v1' | 'v2' | 'hybrid'
  readonly hasAppArmor?: boolean
}
