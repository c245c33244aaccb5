/** How the client builds a service's image before it applies the stack. */
export interface BuildSpec {
  /** Absolute path on the client, or an address. */
  readonly context: string
  /** Relative to the context, or absolute. */
  readonly dockerfile: string
  /** Set: the Dockerfile itself. */
  readonly dockerfileText: string | null
  readonly args: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly target: string | null
  readonly network: string | null
  /** Besides the service's own image name. */
  readonly tags: readonly string[]
  readonly platforms: readonly string[]
  readonly cacheFrom: readonly string[]
  readonly cacheTo: readonly string[]
  /** By name: an absolute path, an address, `docker-image://…`, `service:NAME`. */
  readonly additionalContexts: Readonly<Record<string, string>>
  readonly secrets: readonly BuildSecretSpec[]
  /** `default`, `NAME=SOCKET`. */
  readonly ssh: readonly string[]
  readonly entitlements: readonly string[]
  readonly isCacheOff: boolean
  readonly pulls: boolean
  readonly shmBytes: number | null
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[]
  /** `host:ip`. */
  readonly extraHosts: readonly string[]
  readonly provenance: string | null
  readonly sbom: string | null
}

/** One of the two is set. */
export interface BuildSecretSpec {
  readonly id: string
  /** Absolute. */
  readonly file: string | null
  readonly variable: string | null
}

export type WatchAction = 'sync' | 'rebuild' | 'restart' | 'sync+restart' | 'sync+exec'

/** What is done when files change while an application is being worked on. */
export interface WatchRule {
  /** Absolute, of a file or a directory. */
  readonly path: string
  readonly action: WatchAction
  /** In the container; set for those that sync. */
  readonly target: string | null
  /** Patterns as in .dockerignore, below the path. */
  readonly ignore: readonly string[]
  /** Empty: everything. */
  readonly include: readonly string[]
  /** Everything is sent at the start. */
  readonly isInitialSync: boolean
  readonly exec: WatchExec | null
}

export interface WatchExec {
  readonly command: readonly string[]
  readonly user: string | null
  readonly workingDir: string | null
  readonly environment: Readonly<Record<string, string>>
  readonly isPrivileged: boolean
}
