import type { SecretKind, SecretView } from '#cluster/secrets'

export type { SecretKind, SecretView } from '#cluster/secrets'

/** Body of `POST /glovebox/v1/secrets` and `/configs`. */
export interface WireNewSecret {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  /** Base64. */
  readonly value: string
}

/** What may be shown of one. */
export interface SecretDetails extends SecretView {
  /** Names of the services that mount it. */
  readonly usedBy: readonly string[]
  /** Base64; of a config alone. */
  readonly value?: string
}

/** The part of the path that stands for each kind. */
export const SECRET_PATHS = { secret: 'secrets', config: 'configs' } as const satisfies Record<SecretKind, string>
