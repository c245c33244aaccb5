/** `GET /glovebox/v1/containers/{id}/anatomy`: what a container is made of, on this host, right now. */
export interface Anatomy {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly image: { readonly reference: string; readonly id: string }
  /** null when it does not run. */
  readonly process: AnatomyProcess | null
  /** The tarballs it was born from, base first. */
  readonly layers: readonly AnatomyLayer[]
  /** How the layers become a root file system: `erofs` (mounted from the tars in place), `directories`. */
  readonly snapshotDriver: string
  /** What the container wrote on top, in bytes; null if not known. */
  readonly writableBytes: number | null
  readonly cgroup: AnatomyCgroup | null
  readonly namespaces: readonly AnatomyNamespace[]
  readonly mounts: readonly AnatomyMount[]
  readonly network: AnatomyNetwork
  /** Files and directories of ours that belong to it, with what each is for. */
  readonly files: readonly { readonly path: string; readonly purpose: string }[]
}

export interface AnatomyProcess {
  readonly hostPid: number
  readonly insidePid: number
  readonly user: string
  readonly uid: number
  readonly command: readonly string[]
  readonly startedAtMs: number
  readonly threads: number
  readonly rssBytes: number
  readonly cpuSeconds: number
  /** Processes in the container, this one counted. */
  readonly processes: number
}

export interface AnatomyLayer {
  /** Of the uncompressed tar. */
  readonly diffId: string
  readonly sizeBytes: number
  /** The instruction that made it. */
  readonly createdBy: string
  /** Files, directories and links in it; null if not counted. */
  readonly entries: number | null
  /** How many other images of this host share it; null if not counted. */
  readonly sharedWith: number | null
}

export interface AnatomyCgroup {
  readonly path: string
  readonly memoryUsageBytes: number
  /** null: no limit. */
  readonly memoryLimitBytes: number | null
  readonly memoryPeakBytes: number | null
  /** Number of CPUs' worth of time; null: no limit. */
  readonly cpuLimit: number | null
  readonly cpuShares: number | null
  readonly cpuSeconds: number
  readonly throttledSeconds: number
  readonly pids: number
  readonly pidsLimit: number | null
  readonly oomKills: number
}

export interface AnatomyNamespace {
  /** `pid`, `mnt`, `net`, `ipc`, `uts`, `user`, `cgroup`, `time`. */
  readonly type: string
  readonly inode: number
  /** `own`, `host`, or the name of the containers it is shared with. */
  readonly sharedWith: 'own' | 'host' | readonly string[]
}

export interface AnatomyMount {
  readonly type: string
  /** Volume name or path on the host. */
  readonly source: string
  readonly target: string
  readonly isReadOnly: boolean
}

export interface AnatomyNetwork {
  readonly mode: string
  readonly endpoints: readonly {
    readonly network: string
    readonly address: string
    readonly gateway: string
    readonly macAddress: string
    readonly names: readonly string[]
  }[]
  readonly ports: readonly {
    readonly hostIp: string
    readonly hostPort: number
    readonly containerPort: number
    readonly protocol: string
  }[]
}
