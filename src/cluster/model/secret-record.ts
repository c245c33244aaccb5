/** A secret or a config. A secret's value is only ever here encrypted. */
export interface SecretRecord {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Counts up with each new value; services that use it are rolled then. */
  readonly version: number
  /** Base64. Of a secret: id of the key, nonce, ciphertext and tag; of a config: the value itself. */
  readonly payload: string
  /** SHA-256 of the value, keyed for secrets: says whether two values are the same, and nothing else. */
  readonly fingerprint: string
  /** The value before, sealed as it was: for tasks of a revision that a rollout goes back to. Absent: there is none. */
  readonly previous?: { readonly version: number; readonly payload: string }
  readonly createdAtMs: number
  readonly updatedAtMs: number
}
