import type { Readable } from 'node:stream'

import type { Digest } from '#base'

/** What lies at a path of a container. */
export interface PathStat {
  readonly name: string
  readonly sizeBytes: number
  /** As Go's os.FileMode counts. */
  readonly mode: number
  /** RFC 3339 with nanoseconds. */
  readonly modifiedAt: string
  /** Of a link: where it leads inside the container, all links resolved; for a broken one as far as it goes. Else empty. */
  readonly linkTarget: string
}

/**
 * Paths are the container's own; `..` and links stay inside its root. The last component is not followed when it is a link, unless a
 * slash follows it. Errors of each: `container.not_found`, `archive.path_not_found`, `archive.path_invalid`, `archive.stalled`.
 */
export interface Archives {
  stat(container: string, path: string): Promise<PathStat>
  /**
   * A tar of the path: for a directory its base name and what is in it, other mounts included. Ends with an error when the container's
   * files cannot be read to the end. While a container that does not run is being read, it cannot start.
   */
  get(container: string, path: string): Promise<{ readonly stat: PathStat; readonly content: Readable }>
  /**
   * Unpacks a tar (plain, gzip or zstd) in an existing directory, as it comes in; what was unpacked before a failure stays.
   * `copyUidGid`: everything belongs to the container's user. Errors: `archive.not_a_directory`, `archive.kind_conflict`,
   * `archive.read_only`, `archive.disk_full`, `archive.entry_*`, `tar.*`, `content.*`.
   */
  put(
    container: string,
    path: string,
    tar: Readable,
    options: { readonly noOverwriteDirNonDir: boolean; readonly copyUidGid: boolean },
  ): Promise<void>
  /** An image out of a container's image and what the container changed. Errors: `image.*`, `dockerfile.*`. */
  commit(container: string, request: CommitRequest): Promise<{ readonly imageId: Digest }>
}

export interface CommitRequest {
  /** `name` or `name:tag`; null: the image gets no name. */
  readonly ref: string | null
  readonly author: string
  readonly comment: string
  /** Dockerfile lines (CMD, ENV, ...) on top of the container's configuration. */
  readonly changes: readonly string[]
  /** Hold the processes still while their files are read. */
  readonly shouldPause: boolean
}
