import type { ArchiveIndex } from '../context-index.ts'
import type { Spool } from '../spool.ts'

export interface HttpSource {
  readonly kind: 'http'
  readonly url: string
  /** The last component of the address; empty when it has none. */
  readonly name: string
  /** Hexadecimal, in lower case. */
  readonly sha256: string | undefined
}

export interface GitSource {
  readonly kind: 'git'
  /** Without fragment and query, as git takes it. */
  readonly remote: string
  readonly transport: 'http' | 'https' | 'ssh'
  /** Branch, tag or commit; undefined is what HEAD of the other end names. */
  readonly ref: string | undefined
  /** Clean and relative; empty is the whole tree. */
  readonly subdir: string
  /** The beginning of the commit, at least seven digits, in lower case. */
  readonly commitPrefix: string | undefined
  readonly keepsGitDirectory: boolean
  /** False leaves out what submodules would hold. */
  readonly hasSubmodules: boolean
}

export type RemoteSource = HttpSource | GitSource

export interface FetchOptions {
  /** Addresses of this machine and its link may be asked. */
  readonly isHostNetworkAllowed: boolean
  /** By id, as the build was given them: some hold what a host wants to be told. */
  readonly secrets: ReadonlyMap<string, Buffer>
  /** For git over ssh. */
  readonly sshAgent: string | undefined
  readonly signal: AbortSignal | undefined
}

/** What the other end said of a file, to ask later whether it changed. */
export interface Validators {
  readonly etag: string
  readonly lastModified: string
}

export interface Downloaded extends Validators {
  readonly sha256: string
  readonly sizeBytes: number
  /** Of `Last-Modified`, else 0. */
  readonly mtimeS: number
}

/** Paths whose content lies in the spool. */
export type FetchedTree = ArchiveIndex

export interface RemoteSources {
  /** Puts a file into an empty spool; undefined when it is still what `known` says. */
  download(source: HttpSource, options: FetchOptions, into: Spool, known?: Validators): Promise<Downloaded | undefined>
  /** The commit that a source means now, 40 or 64 digits. */
  commitOf(source: GitSource, options: FetchOptions): Promise<string>
  /** Puts the files of a commit, and of its submodules, into an empty spool. */
  checkOut(source: GitSource, commit: string, options: FetchOptions, into: Spool): Promise<FetchedTree>
}

/** Through a program of the host. Bounded by whoever reads. */
export type Decompress = (format: 'xz' | 'bzip2', source: AsyncIterable<Buffer>) => AsyncIterable<Buffer>
