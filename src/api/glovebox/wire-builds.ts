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

/** What a build is asked for, ahead of the content of files. */
export interface BuildWish {
  /** In the context. */
  readonly dockerfile: string
  readonly tags: readonly string[]
  readonly args: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly target: string | null
  /** `linux/amd64`; null: the daemon's. */
  readonly platform: string | null
  readonly usesCache: boolean
  readonly pulls: boolean
  readonly network: 'default' | 'none' | 'host'
  readonly entitlements: readonly ('network.host' | 'security.insecure')[]
  /** In base64, by id. */
  readonly secrets: Readonly<Record<string, string>>
  /** Sockets on the daemon's machine, by id. */
  readonly sshAgents: Readonly<Record<string, string>>
  /** `check` looks for likely mistakes and builds nothing. */
  readonly call: 'build' | 'check'
}

export interface BuildPlace {
  readonly file: string
  readonly line: number
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
  | { readonly kind: 'image'; readonly id: string }
  | { readonly kind: 'tagged'; readonly id: string; readonly reference: string }
