import type { KeyedSecretSpec, SecretMountSpec } from '#cluster/spec'

/** A secret's value is only ever stored encrypted and never shown; a config's may be read. All else is the same. */
export type SecretKind = 'secret' | 'config'

/**
 * Secrets and configs: named values that tasks get as files in memory. Whatever takes a `ref` takes an id, a name, or the beginning of exactly
 * one id. Whatever reads or writes a secret's value also fails with `secret.key_missing`, `secret.key_invalid` and `secret.key_exposed`. No method but `files` and `configValue` gives a value back, and no error or log line holds one.
 */
export interface Secrets {
  /**
   * Version 1 of a new one. Errors: `secret.name_in_use`, `secret.name_invalid`, `secret.too_large` (empty or over `MAX_SECRET_BYTES`),
   * `secret.labels_too_large`.
   */
  create(kind: SecretKind, wanted: NewSecret): Promise<SecretView>
  /**
   * Creates it, or sees to it that the one of this name has this value and these labels: the same value makes no new version. For stacks,
   * which say the same again at every `up`. Errors: as `create`, without `name_in_use`.
   */
  put(kind: SecretKind, wanted: NewSecret): Promise<SecretView>
  /** The version that `put` would give it. Nothing is written. Errors: `secret.too_large`. */
  foresee(kind: SecretKind, name: string, value: Uint8Array): Promise<number>
  /** A new value, and one version more; the same value again is the next version all the same. The value before is kept, until there is another one. Errors: `secret.not_found`, `secret.too_large`. */
  rotate(kind: SecretKind, ref: string, value: Uint8Array): Promise<SecretView>
  /**
   * Other labels, the value as it is. With `atRevision` only if it was not changed since. Errors: `secret.not_found`,
   * `secret.changed`, `secret.labels_too_large`.
   */
  setLabels(kind: SecretKind, ref: string, labels: Readonly<Record<string, string>>, atRevision?: number): Promise<SecretView>
  /** By name. */
  list(kind: SecretKind): Promise<readonly SecretView[]>
  /** Errors: `secret.not_found`, `secret.ambiguous`. */
  inspect(kind: SecretKind, ref: string): Promise<SecretView>
  /** Errors: `secret.not_found`, `secret.in_use` which names the services. */
  remove(kind: SecretKind, ref: string): Promise<SecretView>
  /** Names of the services that mount it: as wanted, or at either end of a rollout under way. By name. */
  usersOf(kind: SecretKind, ref: string): Promise<readonly string[]>
  /** Errors: `secret.not_found`. */
  configValue(ref: string): Promise<Buffer>
  /**
   * What the container of a task gets: the newest values, or those before where `versions` (as `versions` gives them) says so. For the node's agent alone. `stack` says
   * what the keys of a stack's service mean; null: they are names or ids. Errors: `secret.not_found`, which names the mount; `secret.undecipherable`.
   */
  files(mounts: SecretMounts, stack: StackSecrets | null, versions?: SecretVersions): Promise<readonly SecretFile[]>
  /** Versions of what is mounted, by `secret/NAME` and `config/NAME`: when one goes up, the service is rolled. Absent ones are left out. */
  versions(mounts: SecretMounts, stack: StackSecrets | null): Promise<SecretVersions>
  /**
   * Encrypts every secret with a new key: one that is made, or the first one in the operator's file. Values and versions stay, so nothing is rolled; fingerprints
   * change. Cut short, it is finished by the next one. Errors: `secret.key_missing`, `secret.key_invalid`, `secret.key_exposed`, `secret.key_unchanged`.
   */
  rotateKey(): Promise<{ readonly secrets: number }>
}

export interface NewSecret {
  /** Letters, digits, `-`, `_` and `.`, at most 64; first and last a letter or digit. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: Uint8Array
}

/** What everybody may see of it. */
export interface SecretView {
  readonly kind: SecretKind
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** From 1, one more with each new value. */
  readonly version: number
  /** Equal for equal values; of a secret it says nothing else. */
  readonly fingerprint: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
  /** Of the store, when it was last written: Docker's `Version.Index`. */
  readonly revision: number
}

export type SecretMounts = Readonly<Record<'secrets' | 'configs', readonly SecretMountSpec[]>>
/** By `secret/NAME` and `config/NAME`. */
export type SecretVersions = Readonly<Record<string, number>>
export type StackSecrets = Readonly<Record<'secrets' | 'configs', readonly KeyedSecretSpec[]>>

/** A file that the container has in memory. */
export interface SecretFile {
  /** Absolute path inside the container. */
  readonly target: string
  readonly uid: number
  readonly gid: number
  readonly mode: number
  readonly content: Buffer
  /** `secret/NAME`, `config/NAME`: by which it is found again. */
  readonly origin: string
  readonly version: number
}

/** As Docker has it. */
export const MAX_SECRET_BYTES = 500 * 1024
