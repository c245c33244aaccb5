import type { SecretRecord } from '#cluster/model'
import { keyOf, prefixOf } from '#cluster/model'
import type { ClusterStore, Entry } from '#cluster/store'

import { secretError } from './errors.ts'
import type { SecretKind, SecretView } from './port.ts'

/** Where the id of a name stands, so that no two have the same. */
export function nameKey(kind: SecretKind, name: string): string {
  return keyOf('name', kind, name)
}

/** undefined: there is none of this name or id. */
export async function exactSecret(store: ClusterStore, kind: SecretKind, ref: string): Promise<Entry<SecretRecord> | undefined> {
  // What is no key of the store is no name and no id either.
  if (!/^[\w.-]{1,64}$/.test(ref)) return undefined
  const byId = await store.get<SecretRecord>(keyOf(kind, ref))
  if (byId !== undefined) return byId
  const name = await store.get<{ readonly id: string }>(nameKey(kind, ref))
  return name === undefined ? undefined : await store.get<SecretRecord>(keyOf(kind, name.value.id))
}

/** By id, name, or the beginning of exactly one id. Errors: `secret.not_found`, `secret.ambiguous`. */
export async function findSecret(store: ClusterStore, kind: SecretKind, ref: string): Promise<Entry<SecretRecord>> {
  const exact = await exactSecret(store, kind, ref)
  if (exact !== undefined) return exact
  const all = ref === '' ? [] : (await store.range<SecretRecord>(prefixOf(kind))).entries
  const [only, ...others] = all.filter(({ value }) => value.id.startsWith(ref))
  if (only === undefined) throw secretError('secret.not_found', `${kind} ${ref.slice(0, 100)} not found`)
  if (others.length > 0) throw secretError('secret.ambiguous', `${others.length + 1} ${kind}s have an id that begins with ${ref}`)
  return only
}

/** Without the value, however it is stored. */
export function viewOf(kind: SecretKind, { value, revision }: Entry<SecretRecord>): SecretView {
  const { id, name, labels, version, fingerprint, createdAtMs, updatedAtMs } = value
  return { kind, id, name, labels, version, fingerprint, createdAtMs, updatedAtMs, revision }
}
