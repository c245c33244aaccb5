/** What a task shares instead of having its own. */
export interface NamespaceSpec {
  /**
   * `host`, `none`, `bridge` (the node's default network), `container:NAME` of the node, `service:NAME` of the stack. Absent: the networks of
   * the template.
   */
  readonly network?: string
  /** `host`, `container:NAME`, `service:NAME`. */
  readonly pid?: string
  /** `host`, `none`, `private`, `shareable`, `container:NAME`, `service:NAME`. */
  readonly ipc?: string
  readonly uts?: 'host'
  readonly cgroup?: 'host' | 'private'
  /** Users are not remapped, whatever the node's default is. */
  readonly user?: 'host'
}

/** A device node of the host. */
export interface DeviceSpec {
  readonly hostPath: string
  readonly containerPath: string
  /** Of `r`, `w` and `m`. */
  readonly permissions: string
}

/** Commands that are run inside a task at two moments of its life, one after the other. */
export interface HooksSpec {
  /** After its process began to run. One that does not end with 0 ends the task. */
  readonly postStart: readonly HookSpec[]
  /** Before it is asked to end. One that does not end with 0 is told, and the task ends all the same. */
  readonly preStop: readonly HookSpec[]
}

export interface HookSpec {
  readonly command: readonly string[]
  /** null: the task's own. */
  readonly user: string | null
  readonly workingDir: string | null
  /** On top of the task's own. */
  readonly environment: Readonly<Record<string, string>>
  readonly isPrivileged: boolean
}

/** Of a resource that few tasks bound. Absent: the kernel's or the engine's own. */
export interface RareResourceSpec {
  /** From 0 to 100; cgroup v1 alone. */
  readonly memorySwappiness?: number
  readonly cpuPeriodUs?: number
  readonly cpuQuotaUs?: number
  readonly cpuRealtimePeriodUs?: number
  readonly cpuRealtimeRuntimeUs?: number
  /** From 10 to 1000. */
  readonly blkioWeight?: number
  readonly blkioWeightDevices?: readonly { readonly path: string; readonly weight: number }[]
  readonly blkioDevices?: readonly DeviceRateSpec[]
  readonly isOomKillDisabled?: boolean
  /** From -1000 to 1000. */
  readonly oomScoreAdj?: number
  readonly cgroupParent?: string
}

/** Bytes or operations in a second. */
export interface DeviceRateSpec {
  readonly kind: 'readBps' | 'writeBps' | 'readIops' | 'writeIops'
  readonly path: string
  readonly rate: number
}

/** What a task asks of one of its networks beside being in it. */
export interface EndpointOptions {
  readonly ipv4Address?: string
  readonly ipv6Address?: string
  readonly macAddress?: string
  /** The network of the highest one has the default route. */
  readonly gatewayPriority?: number
  readonly linkLocalAddresses?: readonly string[]
  readonly driverOptions?: Readonly<Record<string, string>>
  /** Containers of the node that only this task knows by these names. */
  readonly links?: readonly { readonly container: string; readonly alias: string }[]
}
