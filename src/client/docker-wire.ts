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
  readonly State: { readonly Running: boolean; readonly ExitCode: number; readonly Status: string; readonly Error?: string }
  readonly Config: { readonly Tty: boolean; readonly OpenStdin: boolean; readonly Image: string }
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
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[]
}

export interface DockerEvent {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
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
