import type { CollectReport, Grant, ManifestRecord, RetentionRule } from '#engine/repositories'

export type { CollectedItem, CollectReport, Grant, ManifestRecord, RetentionRule } from '#engine/repositories'

/** The registry that the daemon serves. */
export interface RegistryStatus {
  /** `HOST:PORT`; null: kept and not served. */
  readonly address: string | null
  /** Anybody who reaches it may do everything. */
  readonly isOpen: boolean
  readonly repositoryCount: number
  readonly blobCount: number
  readonly sizeBytes: number
  /** Other registries whose images it fetches when they are asked for, by the first part of their names here. */
  readonly mirrors: readonly RegistryMirror[]
  readonly rules: readonly RetentionRule[]
  /** null: none since the daemon started. */
  readonly lastCollection: { readonly atMs: number; readonly report: CollectReport } | null
}

export interface RegistryMirror {
  /** Repositories below this name. */
  readonly prefix: string
  /** The registry that they come from. */
  readonly upstream: string
}

export interface RepositorySummary {
  readonly name: string
  readonly tagCount: number
  readonly manifestCount: number
  /** Milliseconds since 1970. */
  readonly pushedAtMs: number
}

export interface RepositoryContent {
  readonly name: string
  readonly manifests: readonly ManifestRecord[]
}

export interface RegistryAccount {
  /** `*` is anybody, without a password. */
  readonly name: string
  readonly grants: readonly Grant[]
}
