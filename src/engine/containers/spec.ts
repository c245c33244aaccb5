import type { Digest } from '#base'
import type { LogDriver } from '#engine/logs'

/** What the user wants of one container: complete, defaults filled in, image configuration merged. Never changes except by `update` and `rename`. */
export interface ContainerSpec {
  /** The reference as the user wrote it; shown by `ps`. */
  readonly image: string
  readonly imageId: Digest
  readonly platform: string
  readonly process: ProcessSpec
  /** Empty means: the first 12 digits of the id. */
  readonly hostname: string
  readonly domainname: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly health: HealthSpec | null
  readonly stopSignal: string
  readonly stopTimeoutS: number
  /** `80/tcp`, from the image and the request. */
  readonly exposedPorts: readonly string[]
  readonly mounts: readonly MountSpec[]
  /** What it has as files in memory, without what is in them. Set by the creation; left out: nothing. */
  readonly memoryFiles?: readonly MemoryFileSpec[]
  readonly network: NetworkingSpec
  readonly resources: ResourceSpec
  readonly security: SecuritySpec
  readonly namespaces: NamespaceSpec
  readonly restart: RestartSpec
  readonly shouldAutoRemove: boolean
  /** Run a small init as process 1 that reaps and forwards signals. */
  readonly hasInit: boolean
  readonly log: LogSpec
}

export interface ProcessSpec {
  /** null: the image gives none. The process is entrypoint then cmd. */
  readonly entrypoint: readonly string[] | null
  readonly cmd: readonly string[] | null
  /** `NAME=value`, image first, the request's on top; PATH is always there. */
  readonly env: readonly string[]
  readonly workingDir: string
  /** `name`, `uid`, `name:group` or `uid:gid`; empty is root. Looked up in the image at start. */
  readonly user: string
  readonly additionalGroups: readonly string[]
  readonly hasTty: boolean
  /** Keep the standard input open. */
  readonly hasStdin: boolean
  /** Close the standard input when the first attached client leaves. */
  readonly isStdinOnce: boolean
  readonly attachStdin: boolean
  readonly attachStdout: boolean
  readonly attachStderr: boolean
  /** Height and width of the terminal at start. */
  readonly consoleSize: readonly [rows: number, columns: number] | null
  /** Entry of ONBUILD, SHELL and the like, kept for inspect and commit. */
  readonly shell: readonly string[] | null
}

export interface HealthSpec {
  /** `['CMD', ...]`, `['CMD-SHELL', text]`; an image's `NONE` has become a null HealthSpec. */
  readonly test: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly startPeriodMs: number
  readonly startIntervalMs: number
  readonly retries: number
}

export type MountSpec = BindMountSpec | VolumeMountSpec | TmpfsMountSpec

export interface BindMountSpec {
  readonly type: 'bind'
  readonly source: string
  readonly target: string
  readonly isReadOnly: boolean
  readonly propagation: 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'
  /** Make the source directory when it does not exist, as `-v` does. */
  readonly createSource: boolean
  readonly isRecursive: boolean
  /** Of a read-only one: not what is mounted below it, or that as well or not at all. Left out: that as well if the kernel can. */
  readonly readOnly?: 'non-recursive' | 'forced'
}

export interface VolumeMountSpec {
  readonly type: 'volume'
  /** Empty: anonymous, named at creation. */
  readonly name: string
  readonly target: string
  readonly isReadOnly: boolean
  /** Do not copy the image's content of the target into an empty volume. */
  readonly isNoCopy: boolean
  readonly subpath: string
  readonly driver: string
  readonly driverOptions: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly isAnonymous: boolean
}

export interface TmpfsMountSpec {
  readonly type: 'tmpfs'
  readonly target: string
  readonly sizeBytes: number | null
  readonly mode: number | null
  /** mount(8) options such as `noexec`. */
  readonly options: readonly string[]
}

/** A file that is in memory only: a secret or a config. The container can read it and not change it. */
export interface MemoryFileSpec {
  /** Absolute path inside the container. */
  readonly target: string
  /** As the container counts users and groups. */
  readonly uid: number
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** What it is, for whoever hands it over to recognise: means nothing here. */
  readonly origin?: string
  /** Which content of that it is: means nothing here either. */
  readonly version?: number
}

export interface NetworkingSpec {
  /** `bridge`, `none`, `host`, `container:ID` or the name or id of a network: what the container's namespace is. */
  readonly mode: string
  /** Networks joined at start, by name or id; empty for none, host and container:. */
  readonly endpoints: Readonly<Record<string, EndpointSpec>>
  readonly portBindings: readonly PortBindingSpec[]
  /** Publish every exposed port on a random host port. */
  readonly publishAll: boolean
  readonly macAddress: string | null
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
  /** `host:ip`; `host-gateway` as ip is the bridge's gateway. */
  readonly extraHosts: readonly string[]
  /** Containers of the default network that this one knows by a name of its own (`--link`). */
  readonly links?: readonly ContainerLink[]
}

export interface ContainerLink {
  /** Name or id. */
  readonly container: string
  readonly alias: string
}

export interface EndpointSpec {
  readonly aliases: readonly string[]
  readonly ipv4Address: string | null
  readonly ipv6Address: string | null
  readonly macAddress: string | null
  /** Names that only this container uses on the network. */
  readonly links?: readonly ContainerLink[]
  /** The endpoint of highest priority has the default route. */
  readonly gatewayPriority?: number
  readonly linkLocalAddresses?: readonly string[]
  readonly driverOptions?: Readonly<Record<string, string>>
}

export interface PortBindingSpec {
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** Empty: every address. */
  readonly hostIp: string
  /** null: a random one; a range tries each in turn. */
  readonly hostPort: { readonly first: number; readonly last: number } | null
}

export interface ResourceSpec {
  readonly memoryBytes: number | null
  /** Memory and swap together; -1 is no limit. */
  readonly memorySwapBytes: number | null
  readonly memoryReservationBytes: number | null
  /** 0 to 100; cgroup v1 only. Left out: the kernel's own. */
  readonly memorySwappiness?: number
  readonly nanoCpus: number | null
  readonly cpuShares: number | null
  readonly cpuPeriodUs: number | null
  readonly cpuQuotaUs: number | null
  readonly cpuRealtimePeriodUs?: number
  readonly cpuRealtimeRuntimeUs?: number
  readonly cpusetCpus: string
  readonly cpusetMems: string
  /** null or -1: no limit. */
  readonly pidsLimit: number | null
  readonly blkioWeight: number | null
  readonly blkioWeightDevices?: readonly { readonly path: string; readonly weight: number }[]
  readonly blkioDevices: readonly {
    readonly kind: 'readBps' | 'writeBps' | 'readIops' | 'writeIops'
    readonly path: string
    readonly rate: number
  }[]
  readonly isOomKillDisabled: boolean
  readonly oomScoreAdj: number
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  readonly shmBytes: number
  readonly cgroupParent: string
}

export interface SecuritySpec {
  readonly isPrivileged: boolean
  readonly isReadOnlyRoot: boolean
  readonly capAdd: readonly string[]
  readonly capDrop: readonly string[]
  readonly isNoNewPrivileges: boolean
  /** `default`, `unconfined`, or the profile's JSON text. */
  readonly seccomp: string
  /** Name of a profile that the kernel has loaded, or `unconfined`; left out: the kernel's default. */
  readonly apparmor?: string
  /** null: the default list; empty: none (systempaths=unconfined). */
  readonly maskedPaths: readonly string[] | null
  readonly readonlyPaths: readonly string[] | null
  readonly sysctls: Readonly<Record<string, string>>
  readonly devices: readonly { readonly hostPath: string; readonly containerPath: string; readonly permissions: string }[]
  /** Lines such as `c 42:* rmw`. */
  readonly deviceCgroupRules: readonly string[]
}

export interface NamespaceSpec {
  /** '' (own), `host`, `container:ID`. */
  readonly pid: string
  /** '' or `private`, `shareable`, `none`, `host`, `container:ID`. */
  readonly ipc: string
  /** '' or `host`. */
  readonly uts: string
  /** `private` or `host`. */
  readonly cgroup: string
  /** `host`: users are not remapped, whatever the daemon's default is. */
  readonly user?: 'host'
}

export interface RestartSpec {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  /** 0: no maximum. For on-failure. */
  readonly maximumRetryCount: number
}

export interface LogSpec {
  /** Empty: the daemon's default. Records always have a driver. */
  readonly driver: LogDriver | ''
  readonly options: Readonly<Record<string, string>>
}

/** What counts where a container says nothing of its log. */
export interface DefaultLog extends LogSpec {
  readonly driver: LogDriver
}
