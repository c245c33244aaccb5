/** File calls that Node lacks. */
export interface FilePort {
  /** Undefined when the file has no such attribute. Does not follow a symlink at the end. */
  lgetxattr(path: string, name: string): Buffer | undefined
  lsetxattr(path: string, name: string, value: Uint8Array): void
  /** Absent is fine. */
  lremovexattr(path: string, name: string): void
  llistxattr(path: string): readonly string[]
  /** `mode` carries the file type (S_IFCHR | 0o600); not narrowed by the umask. */
  mknod(path: string, mode: number, device?: { readonly major: number; readonly minor: number }): void
  /** Numbers of a device node; undefined for other files. */
  deviceNumbers(path: string): { readonly major: number; readonly minor: number } | undefined
  /**
   * Opens a path as a process chrooted to `root` would: absolute links and `..` stay inside. Gives a descriptor that the caller
   * closes. `host.file_not_found` (ENOENT, ENOTDIR), else `host.file_failed`.
   */
  openInRoot(root: string, path: string, options?: OpenInRootOptions): number
  /** The path on the host that `path` means inside `root`, all links resolved; undefined when nothing is there. */
  resolveInRoot(root: string, path: string, options?: { readonly followLast?: boolean }): string | undefined
  /** Space of the file system that holds `path`, in bytes. */
  space(path: string): FileSystemSpace
  /** Swaps two paths of one file system atomically. */
  exchange(first: string, second: string): void
  /**
   * Takes an exclusive lock on a file (made if absent), or gives undefined if another process has it. Dispose lets go;
   * so does the kernel when this process dies.
   */
  tryLock(path: string): Disposable | undefined
  /** Flushes a directory, so that a rename in it outlives a power cut. */
  syncDirectory(path: string): void
}

export interface OpenInRootOptions {
  /** Bits of fs.constants (O_RDONLY, O_DIRECTORY, O_CREAT ...). Default O_RDONLY. O_CLOEXEC is always added. */
  readonly flags?: number
  /** With O_CREAT. */
  readonly mode?: number
  /** Default true. */
  readonly followLast?: boolean
}

export interface FileSystemSpace {
  readonly totalBytes: number
  /** What an unprivileged user may still take. */
  readonly availableBytes: number
  readonly totalInodes: number
  readonly freeInodes: number
  /** `ext4`, `overlay`, `tmpfs`, ... or the magic number in hexadecimal. */
  readonly type: string
}
