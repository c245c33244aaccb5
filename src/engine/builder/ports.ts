import type { Clock, Digest, KeyedLocks, Random } from '#base'
import type { VerifiableDigest } from '#oci/digest'
import type { Descriptor, ImageConfig, ImageIndex, ImageManifest, JsonObject, Platform } from '#oci/image'

import type { FairTurns } from './fair-turns.ts'
import type { FileTree } from './file-tree.ts'
import type { Decompress, RemoteSources } from './remote/index.ts'

export interface BaseImage {
  readonly id: Digest
  readonly config: ImageConfig
  /** Of the manifests by which registries know it. */
  readonly digests?: readonly Digest[]
}

/** The images of this machine. */
export interface BuildImages {
  /** The image of a reference for a platform, pulled when it is missing or when asked; undefined when there is none. */
  resolve(
    reference: string,
    options: {
      readonly platform: Platform
      readonly isPullForced: boolean
      readonly signal: AbortSignal | undefined
      /** What the client knows of the registry. */
      readonly credentials: Credentials | null
    },
  ): Promise<BaseImage | undefined>
  /** Stores an image whose layers are all here. Equal configurations give equal ids. */
  commit(config: ImageConfig): Promise<Digest>
  tag(id: Digest, reference: string): Promise<void>
}

export interface BuildLayers {
  /** Stores an uncompressed tar and makes it mountable. Nothing is kept when the stream fails. */
  addLayerTar(tar: AsyncIterable<Buffer>): Promise<{ readonly diffId: Digest; readonly sizeBytes: number }>
  /** False when the layer was removed since. */
  has(diffId: Digest): boolean | Promise<boolean>
  /** Keeps a layer for the cache, under the name of its record. Not needed where layers stay as long as a record names them. */
  retain?(holder: string, layers: readonly Digest[]): Promise<void>
}

/** What looking after the cache needs of the layers. */
export interface CachedLayers {
  /** True while an image names the layer. */
  isInImage(diffId: Digest): boolean
  /** Undoes `retain`; unknown is fine. */
  release(holder: string): Promise<void>
}

/** A read-only view of merged layers, base first. The view stays on its layers until it is disposed of. */
export interface BuildRoot {
  open(layers: readonly Digest[]): Promise<FileTree & AsyncDisposable>
}

export type RunMount =
  /** A file that exists while the command runs and is not part of the layer. */
  | {
      readonly kind: 'file'
      readonly target: string
      readonly content: Buffer
      readonly mode: number
      readonly uid: number
      readonly gid: number
      /** Is never written to a disk. */
      readonly isSecret: boolean
    }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes: number | undefined }
  /** A directory that outlives builds. `id` is a hash, safe as a file name. */
  | {
      readonly kind: 'cache'
      readonly target: string
      readonly id: string
      readonly sharing: 'shared' | 'private' | 'locked'
      readonly isReadOnly: boolean
      readonly mode: number
      readonly uid: number
      readonly gid: number
      /** What a new directory begins with. */
      readonly seed: LayerPath | undefined
    }
  /** Part of merged layers. What is written to a writable one is gone after the command. */
  | ({ readonly kind: 'tree'; readonly target: string; readonly isWritable: boolean } & LayerPath)
  /** A socket of the host that the command may connect to. */
  | {
      readonly kind: 'socket'
      readonly target: string
      readonly socketPath: string
      readonly mode: number
      readonly uid: number
      readonly gid: number
    }

/** A file or directory of merged layers. No component of the path is a link. */
export interface LayerPath {
  readonly layers: readonly Digest[]
  readonly path: string
}

export type RunNetwork = 'default' | 'none' | 'host'

/** getrlimit(2); -1: none. */
export interface RunUlimit {
  readonly name: string
  readonly soft: number
  readonly hard: number
}

export interface RunLimits {
  readonly memoryBytes?: number
  readonly memorySwapBytes?: number
  readonly pids?: number
  readonly cpuShares?: number
  readonly cpuPeriodUs?: number
  readonly cpuQuotaUs?: number
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  readonly shmBytes?: number
  readonly ulimits?: readonly RunUlimit[]
  /** Below which cgroup commands run; empty: with the containers. */
  readonly cgroupParent?: string
  /** `host:address`, or `host:host-gateway`. */
  readonly extraHosts?: readonly string[]
}

export interface RunSpec {
  readonly layers: readonly Digest[]
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly workingDir: string
  /** As USER says, empty for root; the runner looks names up in the root. */
  readonly user: string
  readonly mounts: readonly RunMount[]
  readonly network: RunNetwork
  readonly isInsecure: boolean
  readonly limits: RunLimits
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
  readonly signal: AbortSignal | undefined
}

/** Disposing of it removes the container and what it wrote. */
export interface RunOutcome extends AsyncDisposable {
  readonly exitCode: number
  /** What the command changed, as a layer tar (OCI whiteouts), in a fixed order. Mount points it made are not in it. */
  diff(): AsyncIterable<Buffer>
}

export interface BuildRunner {
  run(spec: RunSpec): Promise<RunOutcome>
}

export interface LayerRecord {
  readonly kind: 'layer'
  /** Undefined when the step changed nothing. */
  readonly diffId: Digest | undefined
  readonly sizeBytes: number
  /** The instruction, for people. */
  readonly description: string
  /** RFC 3339, as are all times here. */
  readonly created: string
  readonly lastUsed: string | null
  readonly uses: number
}

/** Plain JSON values. */
export type CacheRecord =
  /** What a step made. */
  | LayerRecord
  /** Digest of files selected from merged layers. */
  | { readonly kind: 'content'; readonly digest: string; readonly created: string }
  /** What an address held when it was last asked. */
  | {
      readonly kind: 'remote'
      readonly sha256: string
      readonly etag: string
      readonly lastModified: string
      readonly created: string
    }
  /** When an image of this content was first made. */
  | { readonly kind: 'image'; readonly created: string }

/** Results by content key. A record is there whole or not at all, and put only when what it names is stored. */
export interface BuildCache {
  get(key: string): CacheRecord | undefined | Promise<CacheRecord | undefined>
  put(key: string, record: CacheRecord): void | Promise<void>
  /** As `put`, for what may be lost in a power cut: that a result was used. */
  note(key: string, record: CacheRecord): void
  list(): readonly CacheEntry[] | Promise<readonly CacheEntry[]>
  delete(key: string): void | Promise<void>
}

export interface CacheEntry {
  readonly key: string
  readonly record: CacheRecord
}

/** A cache whose records can be looked at without waiting. */
export interface LocalBuildCache extends BuildCache {
  get(key: string): CacheRecord | undefined
  put(key: string, record: CacheRecord): void
  list(): readonly CacheEntry[]
  delete(key: string): void
}

/** As Docker's clients send them for one registry. */
export type Credentials = Readonly<Record<string, string>>

export interface BlobBody {
  readonly sizeBytes: number
  /** From the beginning, each time. */
  open(): AsyncIterable<Uint8Array>
}

export interface BlobOf {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly compression: 'none' | 'gzip' | 'zstd'
}

/** A repository of a registry, or an OCI layout in a directory: manifests and what they name. */
export interface BlobPlace extends AsyncDisposable {
  /** For messages, and the name of what is pushed. */
  readonly name: string
  /** Checked against the digest that it is asked by; undefined when there is none. */
  manifest(reference: string): Promise<ImageManifest | ImageIndex | undefined>
  /** Whoever reads it checks it. */
  blob(descriptor: Descriptor): AsyncIterable<Uint8Array>
  has(digest: Digest): Promise<boolean>
  put(digest: Digest, body: Buffer | BlobBody): Promise<void>
  /** By tag, or by digest where it gets no name. */
  putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<void>
  /** Has a stored layer there as suits the place best, where it knows how: gzip in a registry. */
  pushLayer?(layer: { readonly diffId: Digest; readonly sizeBytes: number }): Promise<BlobOf>
}

/** A layer that comes with an image. */
export interface ImportedLayer {
  readonly digest: VerifiableDigest
  readonly sizeBytes: number
  readonly diffId: Digest
  open(): AsyncIterable<Uint8Array>
}

/** What leaves this machine and comes to it beside images. */
export interface BuildExchange {
  registry(
    reference: string,
    options: {
      readonly use: 'pull' | 'push'
      readonly credentials: Credentials | null
      readonly signal: AbortSignal | undefined
    },
  ): Promise<BlobPlace>
  /** Made when it is written to. Error: `build.output_invalid` for a path that is not absolute. */
  directory(path: string): Promise<BlobPlace>
  /** The tar of a stored layer. */
  layer(diffId: Digest): BlobBody
  /** Stores a layer, checked, and keeps it until `recorded` has written down who needs it. Errors: `digest.*`, `content.*`. */
  importLayer(
    source: AsyncIterable<Uint8Array>,
    expected: { readonly digest: VerifiableDigest; readonly sizeBytes: number; readonly diffId: Digest },
    recorded: () => Promise<void>,
  ): Promise<void>
  /** Stores an image without a name, its layers checked. `configBytes` are kept as they are. Errors: `digest.*`, `content.*`, `image.*`. */
  importImage(configBytes: Uint8Array, layers: readonly ImportedLayer[]): Promise<Digest>
  /** The files of merged layers as one tar. */
  rootTar(layers: readonly Digest[]): AsyncIterable<Buffer>
  /** Keeps what is said of an image beside it. */
  attest(image: Digest, predicates: readonly Predicate[]): void
}

/** A statement on an image, without its subject (in-toto attestation framework, "Predicate"). */
export interface Predicate {
  readonly type: string
  readonly content: JsonObject
}

export interface BuildPorts {
  readonly images: BuildImages
  readonly layers: BuildLayers
  readonly root: BuildRoot
  readonly runner: BuildRunner
  readonly cache: BuildCache
  readonly remote: RemoteSources
  readonly decompress: Decompress
  readonly clock: Clock
  readonly random: Random
  /** Shared by all builds of the daemon, so that one step runs once. */
  readonly locks: KeyedLocks
  /** Shared as well: so many commands of RUN steps run at a time, and builds take turns. */
  readonly turns: FairTurns
  readonly exchange: BuildExchange
  /** Whether commands for a platform run here, by itself or by an emulator. */
  readonly canRun: (platform: Platform) => boolean
  /** A directory for spooled contexts and archives; files in it have no name once opened. */
  readonly spoolDirectory: string
}

/** Directories that outlive builds: of cache mounts, of contexts. */
export interface KeptPlace {
  list(): readonly {
    readonly id: string
    readonly kind: 'exec.cachemount' | 'source.local'
    readonly description: string
    readonly sizeBytes: number
    readonly isInUse: boolean
    readonly createdAt: string
    readonly lastUsedAt: string | null
    readonly usageCount: number
  }[]
  /** False when it is not one of these, or in use. */
  remove(id: string): Promise<boolean>
}

/** What a builder that also looks after its cache needs. */
export interface BuilderPorts extends BuildPorts {
  readonly places?: readonly KeptPlace[]
  readonly layers: BuildLayers & CachedLayers
  readonly cache: LocalBuildCache
}
