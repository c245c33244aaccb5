/** One thing in a context directory: path below it (a character for each byte), type, mode, bytes, seconds, signature, target of a link. */
export type WireContextEntry = readonly [
  path: string,
  type: 'file' | 'directory' | 'symlink',
  mode: number,
  sizeBytes: number,
  mtimeS: number,
  signature: string,
  linkname: string,
]

export interface ComparedContext {
  readonly session: string
  /** Which entries' content the build needs, as indices. */
  readonly wanted: readonly number[]
}

/** `none`, `gzip` or `zstd`, and a level on the codec's own scale. */
export interface WireLayerForm {
  readonly compression: 'none' | 'gzip' | 'zstd'
  readonly level: number | null
}

/** Where the result goes. What `oci`, `docker`, `tar` and `local` give is fetched while the build waits, see `output-ready`. */
export type WireOutput =
  | ({ readonly type: 'image'; readonly push: 'no' | 'tags' | 'digest' } & WireLayerForm)
  | ({ readonly type: 'oci' | 'docker' } & WireLayerForm)
  /** Both a tar of all files; `local` says that it is going to be unpacked. */
  | { readonly type: 'tar' | 'local' }

/** `place`: a reference, or an absolute path on the daemon's machine. */
export interface WireCacheSource {
  readonly type: 'registry' | 'local'
  readonly place: string
}

export type WireCacheTarget =
  | ({ readonly type: 'registry' | 'local'; readonly place: string; readonly mode: 'min' | 'max' } & WireLayerForm)
  | { readonly type: 'inline' }

/** Of each RUN step; null: the daemon's own. */
export interface WireBuildLimits {
  readonly memoryBytes: number | null
  readonly cpuShares: number | null
  readonly cpuPeriodUs: number | null
  readonly cpuQuotaUs: number | null
  readonly memorySwapBytes: number | null
  readonly cpusetCpus: string | null
  readonly cpusetMems: string | null
  readonly pids: number | null
  readonly shmBytes: number | null
  /** getrlimit(2); -1: none. */
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  /** `host:address`. */
  readonly extraHosts: readonly string[]
  readonly cgroupParent: string | null
}

/** On a manifest or an index, or on the line that names it in the one above. */
export interface WireAnnotation {
  readonly level: 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor'
  /** null: for all of them. */
  readonly platform: string | null
  readonly name: string
  readonly value: string
}

export interface WireDirectory {
  readonly session: string
  /** null: its files are meant. Else it is an OCI layout, and this the tag or digest in it; empty is the only one, or `latest`. */
  readonly layout: string | null
}

/** What a build is asked for, ahead of the content of files. */
export interface BuildWish {
  /** An address that the daemon fetches; null: the context that was compared. */
  readonly context: string | null
  /** In the context. */
  readonly dockerfile: string
  /** For a context at an address: the Dockerfile itself, where it does not lie there. */
  readonly dockerfileText: string | null
  readonly tags: readonly string[]
  readonly args: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly target: string | null
  /** `linux/amd64`; null: the daemon's. */
  readonly platform: string | null
  /** Several: one image for each, and `platform` is not looked at. */
  readonly platforms: readonly string[]
  readonly usesCache: boolean
  /** Stages of which every step is done anew. */
  readonly uncachedStages: readonly string[]
  readonly cacheFrom: readonly WireCacheSource[]
  readonly cacheTo: readonly WireCacheTarget[]
  /** Empty: among this machine's images. */
  readonly outputs: readonly WireOutput[]
  readonly annotations: readonly WireAnnotation[]
  readonly provenance: 'min' | 'max' | null
  readonly sbom: boolean
  readonly limits: WireBuildLimits
  /** By the name of a registry, as `docker login` keeps them. */
  readonly registryAuth: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly pulls: boolean
  readonly network: 'default' | 'none' | 'host'
  readonly entitlements: readonly ('network.host' | 'security.insecure')[]
  /** In base64, by id. */
  readonly secrets: Readonly<Record<string, string>>
  /** Sockets on the daemon's machine, by id. */
  readonly sshAgents: Readonly<Record<string, string>>
  /** What names in FROM, COPY --from and RUN --mount=from stand for: `docker-image://NAME`, `target:STAGE`, or an address. */
  readonly contexts: Readonly<Record<string, string>>
  /** Directories of the client that names stand for, by the session of each, all of whose content was sent. */
  readonly directories: Readonly<Record<string, WireDirectory>>
  /** All but `build` build nothing: `check` looks for likely mistakes, `outline` tells what the target takes, `targets` which there are. */
  readonly call: 'build' | 'check' | 'outline' | 'targets'
}

export interface BuildPlace {
  readonly file: string
  readonly line: number
}

export interface WireOutlinedNeed {
  readonly id: string
  readonly isRequired: boolean
  readonly line: number
}

/** What a target takes, each with the comment above it. */
export interface WireOutline {
  readonly stage: string
  readonly description: string | null
  /** `value`: as given, else the default; null when there is neither. */
  readonly args: readonly {
    readonly name: string
    readonly value: string | null
    readonly description: string | null
    readonly line: number
  }[]
  readonly secrets: readonly WireOutlinedNeed[]
  readonly sshAgents: readonly WireOutlinedNeed[]
}

export interface WireTarget {
  readonly name: string
  readonly description: string | null
  readonly base: string
  readonly platform: string | null
  readonly isDefault: boolean
}

/** What a build tells as it goes. Steps of one stage follow each other, stages run side by side. */
export type BuildReport =
  | {
      readonly kind: 'planned'
      readonly stepCount: number
      readonly fileCount: number
      readonly stages: readonly { readonly name: string; readonly firstStep: number; readonly lastStep: number }[]
    }
  | {
      readonly kind: 'step-started'
      readonly number: number
      readonly total: number
      readonly text: string
      readonly place: BuildPlace
    }
  | { readonly kind: 'step-running'; readonly number: number }
  | { readonly kind: 'output'; readonly number: number; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly kind: 'step-done'; readonly number: number; readonly isCached: boolean; readonly durationMs: number }
  | { readonly kind: 'warning'; readonly check: string | null; readonly place: BuildPlace; readonly message: string }
  | { readonly kind: 'moving'; readonly what: 'push' | 'output' | 'cache-import' | 'cache-export'; readonly place: string }
  | {
      readonly kind: 'moved'
      readonly what: 'push' | 'output' | 'cache-import' | 'cache-export'
      readonly place: string
      readonly digest: string | null
    }
  /** `GET builds/outputs?token=…` gives the file, once; the build goes on when it was read to its end. `output`: its number in the request. */
  | { readonly kind: 'output-ready'; readonly output: number; readonly token: string }
  | { readonly kind: 'outline'; readonly outline: WireOutline }
  | { readonly kind: 'targets'; readonly targets: readonly WireTarget[] }
  | { readonly kind: 'image'; readonly id: string }
  | { readonly kind: 'tagged'; readonly id: string; readonly reference: string }

/** What builds keep for later ones: a step's layer, a cache directory, files of a context. */
export interface WireCacheEntry {
  readonly id: string
  readonly type: 'regular' | 'exec.cachemount' | 'source.local'
  readonly description: string
  readonly isInUse: boolean
  readonly isShared: boolean
  readonly sizeBytes: number
  readonly createdAt: string
  readonly lastUsedAt: string | null
  readonly usageCount: number
}

export interface WireCachePrune {
  /** What is shared with images as well. */
  readonly all: boolean
  /** Only what nobody used for so long. */
  readonly unusedMs: number | null
  /** The longest unused go until at most so much is kept. */
  readonly keepBytes: number | null
  readonly types: readonly string[]
}
