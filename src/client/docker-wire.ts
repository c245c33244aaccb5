/** What we read of the Docker Engine API's answers (v1.51), and no more. */
export interface DockerContainerSummary {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Image: string
  readonly ImageID: string
  readonly Command: string
  /** Seconds since 1970. */
  readonly Created: number
  readonly Ports: readonly DockerPort[] | null
  readonly State: string
  readonly Status: string
  readonly Labels: Readonly<Record<string, string>> | null
  readonly SizeRw?: number
  readonly SizeRootFs?: number
  readonly Mounts?: readonly DockerMountPoint[] | null
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null } | null
}

export interface DockerMountPoint {
  readonly Type?: string
  readonly Name?: string
  readonly Source?: string
}

export interface DockerPort {
  readonly IP?: string
  readonly PrivatePort: number
  readonly PublicPort?: number
  readonly Type: string
}

export interface DockerImageSummary {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests: readonly string[] | null
  readonly Created: number
  readonly Size: number
  readonly Containers: number
  readonly SharedSize?: number
}

export interface DockerImage {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly Config?: { readonly ExposedPorts?: Readonly<Record<string, unknown>> | null } | null
}

export interface DockerHistoryEntry {
  readonly Id: string
  readonly Created: number
  readonly CreatedBy: string
  readonly Size: number
  readonly Comment: string
  readonly Tags: readonly string[] | null
}

/** The inspect answer in so far as commands look into it; the rest is passed through untouched. */
export interface DockerContainer {
  readonly Id: string
  readonly Name: string
  readonly State: {
    readonly Running: boolean
    readonly Paused?: boolean
    readonly ExitCode: number
    readonly Status: string
    readonly Error?: string
  }
  readonly HostConfig?: { readonly AutoRemove?: boolean }
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean; readonly Image: string }
  readonly NetworkSettings?: { readonly Ports?: Readonly<Record<string, readonly DockerBinding[] | null>> | null }
}

export interface DockerBinding {
  readonly HostIp: string
  readonly HostPort: string
}

export interface DockerVersion {
  readonly Version: string
  readonly ApiVersion: string
  readonly MinAPIVersion?: string
  readonly GitCommit?: string
  readonly Os: string
  readonly Arch: string
  readonly KernelVersion?: string
  readonly BuildTime?: string
  readonly Components?: readonly {
    readonly Name: string
    readonly Version: string
    readonly Details?: Readonly<Record<string, string>>
  }[]
}

export interface DockerEvent {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly scope?: string
  readonly status?: string
  readonly id?: string
  readonly from?: string
  readonly time: number
  readonly timeNano: number
}

/** A line of a progress stream (build, load, import, pull, push). */
export interface DockerProgress {
  readonly stream?: string
  readonly status?: string
  readonly id?: string
  readonly progress?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  readonly aux?: { readonly ID?: string }
  readonly error?: string
  readonly errorDetail?: { readonly message?: string; readonly code?: number }
}

export interface DockerExec {
  readonly ID: string
  readonly Running: boolean
  readonly ExitCode: number | null
}

export interface DockerWait {
  readonly StatusCode: number
  readonly Error?: { readonly Message?: string } | null
}

export interface DockerRemovedImage {
  readonly Untagged?: string
  readonly Deleted?: string
}

export interface DockerTop {
  readonly Titles: readonly string[]
  readonly Processes: readonly (readonly string[])[] | null
}

/** Of `/containers/{id}/stats`: counters since the start; the second half of each pair is the reading before. */
export interface DockerStats {
  readonly id: string
  readonly name: string
  readonly read: string
  readonly cpu_stats: DockerCpuStats
  readonly precpu_stats: DockerCpuStats
  readonly memory_stats: {
    readonly usage?: number
    readonly limit?: number
    readonly stats?: Readonly<Record<string, number>>
  }
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null
  }
  readonly pids_stats?: { readonly current?: number }
}

export interface DockerCpuStats {
  readonly cpu_usage: { readonly total_usage: number; readonly percpu_usage?: readonly number[] | null }
  readonly system_cpu_usage?: number
  readonly online_cpus?: number
}

export interface DockerPruned {
  readonly SpaceReclaimed?: number
  readonly ContainersDeleted?: readonly string[] | null
  readonly ImagesDeleted?: readonly DockerRemovedImage[] | null
  readonly VolumesDeleted?: readonly string[] | null
  readonly NetworksDeleted?: readonly string[] | null
  readonly CachesDeleted?: readonly string[] | null
}

export interface DockerNetwork {
  readonly Id: string
  readonly Name: string
  /** RFC 3339. */
  readonly Created: string
  readonly Driver: string
  readonly Scope: string
  readonly EnableIPv4?: boolean
  readonly EnableIPv6: boolean
  readonly Internal: boolean
  readonly Labels: Readonly<Record<string, string>> | null
}

export interface DockerVolume {
  readonly Name: string
  readonly Driver: string
  readonly Mountpoint: string
  readonly Scope: string
  readonly Labels: Readonly<Record<string, string>> | null
  readonly UsageData?: { readonly Size: number; readonly RefCount: number } | null
}

export interface DockerDiskUsage {
  readonly LayersSize?: number
  readonly Images?: readonly DockerImageSummary[] | null
  readonly Containers?: readonly DockerContainerSummary[] | null
  readonly Volumes?: readonly DockerVolume[] | null
  readonly BuildCache?: readonly DockerBuildRecord[] | null
}

export interface DockerBuildRecord {
  readonly ID: string
  readonly Type: string
  readonly Description: string
  readonly InUse: boolean
  readonly Shared: boolean
  readonly Size: number
  readonly CreatedAt: string
  readonly LastUsedAt?: string | null
  readonly UsageCount: number
}

export interface DockerSignedIn {
  readonly Status: string
  readonly IdentityToken?: string
}
