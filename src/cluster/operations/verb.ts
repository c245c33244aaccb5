import type { RolloutSpec } from '#cluster/spec'

/** What may be asked of a service. */
export type ServiceVerb =
  | ({ readonly verb: 'deploy' } & DeployWish)
  /** To the revision before, or to a numbered one. */
  | { readonly verb: 'rollback'; readonly revision?: number }
  | { readonly verb: 'scale'; readonly replicas: number }
  | { readonly verb: 'pause' | 'resume' | 'promote' | 'abort' | 'remove' }

/** What of a service becomes another; what is absent stays as it is. */
export interface DeployWish {
  readonly image?: string
  /** null: the variable goes. */
  readonly environment?: Readonly<Record<string, string | null>>
  readonly replicas?: number
  readonly rollout?: Partial<RolloutSpec>
  /** New tasks though nothing changed. */
  readonly isForced?: boolean
}
