/**
 * The only truth of the cluster: keys and JSON values, each change with a revision of the whole store. What a call returned from is durable.
 * Every implementation passes the same exam (`test/exam/cluster-store.ts`).
 */
export interface ClusterStore extends AsyncDisposable {
  /** The value as it is now; undefined: there is none. */
  get<T>(key: string): Promise<Entry<T> | undefined>
  /** All whose keys begin with `prefix`, by key, as they were at one revision. */
  range<T>(prefix: string): Promise<{ readonly revision: number; readonly entries: readonly Entry<T>[] }>
  /**
   * All of it or nothing. Resolves to the revision, or to null when a condition did not hold: then nothing changed.
   * Nothing to write, or only deletes of what is not there: the revision as it is, for nothing happened.
   * Errors: `store.too_large` (over `MAX_WRITES`, `MAX_VALUE_BYTES` or `MAX_TRANSACTION_BYTES`), `store.duplicate_key` (it writes a key twice),
   * `store.key_invalid`, `store.value_invalid` (null, or no JSON), `store.lease_not_found`, `store.closed`.
   */
  write(transaction: Transaction): Promise<number | null>
  /**
   * Everything after `afterRevision` below `prefix`, in order, each transaction's changes together, without a gap and without a doubled one. First
   * what happened already, then what happens. Errors: `store.compacted` when the changes after that revision are not kept any more: read
   * the range again and watch from its revision. It ends with the signal; `store.closed` when the store is closed before.
   */
  watch<T>(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<ChangeBatch<T>>
  /**
   * Keys that are written with it go when nobody renews it for `ttlMs`; a key that is written again without it stays. Whoever opens the store anew
   * gives all leases their whole time again.
   */
  grantLease(ttlMs: number): Promise<string>
  /** Errors: `store.lease_not_found`: it ran out, and its keys are gone. */
  renewLease(lease: string): Promise<void>
  /** Its keys go at once. Gone already: fine. */
  revokeLease(lease: string): Promise<void>
}

export interface Entry<T> {
  readonly key: string
  readonly value: T
  /** Of the store, when the key was last written. */
  readonly revision: number
  /** Of the store, when the key came to be. */
  readonly createdRevision: number
}

export interface Transaction {
  /** `revision` 0: there is no such key. */
  readonly conditions?: readonly { readonly key: string; readonly revision: number }[]
  readonly puts?: readonly { readonly key: string; readonly value: unknown; readonly lease?: string }[]
  readonly deletes?: readonly string[]
}

export interface ChangeBatch<T> {
  readonly revision: number
  readonly changes: readonly Change<T>[]
}

/** `value` null: the key went. Watchers may share it: it is not to be changed. */
export interface Change<T> {
  readonly key: string
  readonly value: T | null
}

/** Writes of one transaction. */
export const MAX_WRITES = 4096
/** Of one value, as JSON. */
export const MAX_VALUE_BYTES = 1 << 20
/** Of all values and keys of one transaction: watchers get it in one piece. */
export const MAX_TRANSACTION_BYTES = 16 << 20
/** Of one key, as UTF-8. */
export const MAX_KEY_BYTES = 1024
