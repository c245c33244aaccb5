import type { ByteString } from '#oci/tar'

import type { BuildContext } from '../context.ts'
import type { FileTree } from '../file-tree.ts'

/** One thing in a context directory, as its client sees it. */
export interface ContextEntry {
  /** Relative to the directory. */
  readonly path: ByteString
  readonly type: 'file' | 'directory' | 'symlink'
  readonly mode: number
  readonly sizeBytes: number
  readonly mtimeS: number
  /** Of a symlink, else empty. */
  readonly linkname: ByteString
  /** Changes whenever the content of a file may have: made from its times, size and inode. */
  readonly signature: string
}

export interface ComparedContext {
  /** Names what was compared, for `receive`. Good for one use. */
  readonly session: string
  /** Which entries' content has to be sent, as indices, in the order in which it is expected. */
  readonly wanted: readonly number[]
}

/** What is kept of one directory of a client. */
export interface KeptContext {
  readonly id: string
  readonly sizeBytes: number
  readonly usedMs: number
}

/**
 * Contexts that stay between builds, so that only what changed since is sent. `key` names a directory of a client; what is kept under it is
 * but a cache, and anything doubtful about it means that all is sent again. Errors: `build.context_invalid`, `build.context_too_large`,
 * `build.session_unknown`.
 */
export interface KeptContexts {
  compare(key: string, entries: readonly ContextEntry[]): Promise<ComparedContext>
  /** `bodies`: of each wanted file its length, as eight bytes with the highest first, and its bytes. */
  receive(session: string, bodies: AsyncIterable<Buffer>, options: { readonly dockerfilePath: string }): Promise<BuildContext>
  /** Keeps what was wanted, and gives a session that wants nothing more. */
  store(session: string, bodies: AsyncIterable<Buffer>): Promise<string>
  /** The files of a session that wants nothing, as they are: no Dockerfile is looked for, and no ignore file. */
  files(session: string): Promise<{ readonly tree: FileTree } & AsyncDisposable>
  list(): readonly KeptContext[]
  /** False when it is not there. */
  remove(id: string): Promise<boolean>
  /** Removes what builds did not use for longest until at most this much is kept. */
  prune(keepBytes: number): Promise<number>
}
