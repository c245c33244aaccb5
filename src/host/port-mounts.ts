/** mount(2) and friends, in the mount namespace of this process. */
export interface MountPort {
  /** Mounts an EROFS image that is a plain file; `devices` are its data blobs in the order of the image's device table. Read-only. */
  erofs(options: ErofsMount): void
  /** Stacks directories. More layers than one option string holds go through fsconfig(2), so that 127 and more work. */
  overlay(options: OverlayMount): void
  bind(options: BindMount): void
  tmpfs(options: TmpfsMount): void
  /** A bind whose files belong to whom a user namespace maps their owners to. Linux 5.12, and the file system must take part. */
  idmapped(options: IdmappedMount): void
  /** Not mounted (or not there) is fine. `lazy` detaches at once and lets open files end by themselves. */
  unmount(target: string, options?: { readonly lazy?: boolean }): void
  /** Stops mount events from leaving or entering below `target`, which must be a mount point. */
  makePrivate(target: string): void
  /** The mount table of this process in mount order, optionally only what lies at or below a path. */
  list(under?: string): readonly MountEntry[]
}

export interface ErofsMount {
  readonly index: string
  readonly devices: readonly string[]
  readonly target: string
}

export interface OverlayMount {
  /** Top-most first. */
  readonly lowers: readonly string[]
  /** Together with `work`; without both the overlay is read-only. */
  readonly upper?: string
  readonly work?: string
  readonly target: string
  /**
   * A process in the user namespace by which `upper` and `work` are mapped. The kernel works in them as whoever mounts, so that must be
   * the namespace's root.
   */
  readonly mappingOf?: number | undefined
  /** Omits every sync of the upper directory: for what a crash may lose. */
  readonly volatile?: boolean
}

export interface BindMount {
  readonly source: string
  readonly target: string
  readonly recursive?: boolean
  /** With `recursive` it covers the mounts below as well. */
  readonly readOnly?: boolean
  /** Default: what the kernel gives (that of the source's peer group). */
  readonly propagation?: MountPropagation
}

export interface IdmappedMount {
  readonly source: string
  readonly target: string
  readonly readOnly?: boolean
  /** A process in the user namespace whose mapping is meant. */
  readonly mappingOf: number
}

export type MountPropagation = 'private' | 'rprivate' | 'shared' | 'rshared' | 'slave' | 'rslave'

export interface TmpfsMount {
  readonly target: string
  readonly sizeBytes?: number
  /** Permission bits of its root, default 0o755. */
  readonly mode?: number
  /** What is in it stays out of swap. Before Linux 6.4 that is a ramfs, which has no bound. */
  readonly isNeverSwapped?: boolean
}

/** A line of /proc/self/mountinfo, unescaped: proc_pid_mountinfo(5). */
export interface MountEntry {
  readonly id: number
  readonly parentId: number
  /** `major:minor` */
  readonly device: string
  /** The directory of the file system that is the root of this mount. */
  readonly root: string
  readonly target: string
  readonly options: readonly string[]
  /** `shared:3`, `master:1`, ... */
  readonly propagation: readonly string[]
  readonly type: string
  readonly source: string
  readonly superOptions: readonly string[]
}
