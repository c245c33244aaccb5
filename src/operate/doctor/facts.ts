/** What the doctor knows of a host: plain values, so that every finding is a function of them. */
export interface HostFacts {
  /** `6.18.44-generic` */
  readonly kernelRelease: string
  readonly architecture: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly availableMemoryBytes: number
  readonly isRoot: boolean
  /** Known to the kernel now, or by a module that it can load. */
  readonly fileSystems: readonly string[]
  /** null: the kernel's configuration cannot be read. */
  readonly isErofsOnFilesBuilt: boolean | null
  readonly cgroup: CgroupFacts
  readonly capabilities: readonly string[]
  readonly nofileHard: number
  /** null: not installed. */
  readonly crunVersion: string | null
  readonly missingPrograms: readonly string[]
  readonly forward: ForwardFacts | null
  readonly isIpForwardOn: boolean | null
  readonly disk: { readonly path: string; readonly availableBytes: number; readonly totalBytes: number } | null
  readonly nameservers: readonly string[]
  readonly hasSeccomp: boolean
  /** Wall clock, and the newest moment that this host has proof of: its own program files. */
  readonly nowMs: number
  readonly knownPastMs: number | null
  /** What a running daemon chose and why; null without one. */
  readonly snapshotDriver: { readonly name: string; readonly reason: string } | null
}

export interface CgroupFacts {
  readonly mode: 'v2' | 'hybrid' | 'v1' | 'none'
  readonly controllers: readonly string[]
}

export interface ForwardFacts {
  /** A chain on the forward hook drops what no rule accepts. */
  readonly isDrop: boolean
  readonly table: string
  readonly hasDockerUser: boolean
}
