import { SECRET_PATHS, type SecretDetails, type SecretKind, type SecretView } from '#api/glovebox'

import { json, segment } from './call.ts'
import type { Transport } from './transport.ts'

/** Secrets and configs of the cluster. `ref`: a name, an id, or the beginning of one. */
export interface SecretCalls {
  list(kind: SecretKind): Promise<readonly SecretView[]>
  create(
    kind: SecretKind,
    wanted: { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: Buffer },
  ): Promise<SecretView>
  inspect(kind: SecretKind, ref: string): Promise<SecretDetails>
  /** Another value, and one version more. */
  rotate(kind: SecretKind, ref: string, value: Buffer): Promise<SecretView>
  setLabels(kind: SecretKind, ref: string, labels: Readonly<Record<string, string>>): Promise<SecretView>
  remove(kind: SecretKind, ref: string): Promise<void>
  /** Encrypts all secrets anew. */
  rotateKey(): Promise<{ readonly secrets: number }>
}

export function secretCalls(transport: Transport): SecretCalls {
  const all = (kind: SecretKind) => `/glovebox/v1/${SECRET_PATHS[kind]}`
  const one = (kind: SecretKind, ref: string) => `${all(kind)}/${segment(ref)}`
  return {
    list: (kind) => json(transport, { method: 'GET', path: all(kind) }),
    create: (kind, { name, labels, value }) =>
      json(transport, { method: 'POST', path: all(kind), json: { name, labels, value: value.toString('base64') } }),
    inspect: (kind, ref) => json(transport, { method: 'GET', path: one(kind, ref) }),
    rotate: (kind, ref, value) =>
      json(transport, { method: 'POST', path: `${one(kind, ref)}/rotate`, json: { value: value.toString('base64') } }),
    setLabels: (kind, ref, labels) => json(transport, { method: 'PUT', path: `${one(kind, ref)}/labels`, json: { labels } }),
    remove: async (kind, ref) => void (await json(transport, { method: 'DELETE', path: one(kind, ref) })),
    rotateKey: () => json(transport, { method: 'POST', path: '/glovebox/v1/secret-key' }),
  }
}
