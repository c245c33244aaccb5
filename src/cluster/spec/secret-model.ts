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
