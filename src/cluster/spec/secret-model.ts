/** A secret or a config of a stack, or of somebody else. */
export interface KeyedSecretSpec {
  /** Its name inside the stack. */
  readonly key: string
  /** Its name in the cluster. */
  readonly name: string
  readonly isExternal: boolean
  readonly labels: Readonly<Record<string, string>>
}

/** A file with a secret or a config in it, inside the container. */
export interface SecretMountSpec {
  /** Key in `StackSpec.secrets` or `StackSpec.configs`. */
  readonly secret: string
  /** Absolute path inside the container. */
  readonly target: string
  readonly uid: number
  readonly gid: number
  /** Permission bits, such as 0o444. */
  readonly mode: number
}

/** Where the value of a secret or config comes from, at the client. The value itself travels beside the model and is never a part of it. */
export type ValueSource =
  /** Absolute path. */
  | { readonly type: 'file'; readonly path: string }
  /** An environment variable; null: it is not set. */
  | { readonly type: 'variable'; readonly name: string; readonly text: string | null }
  | { readonly type: 'text'; readonly text: string }
