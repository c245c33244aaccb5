import type {
  CollectReport,
  RegistryAccount,
  RegistryStatus,
  RepositoryContent,
  RepositorySummary,
  RetentionRule,
} from '#api/glovebox'

import { json, segment } from './call.ts'
import type { Transport } from './transport.ts'

/** The registry that the daemon serves. */
export interface RegistryCalls {
  status(): Promise<RegistryStatus>
  repositories(): Promise<readonly RepositorySummary[]>
  content(name: string): Promise<RepositoryContent>
  /** A tag, or a digest with all of its tags. */
  remove(name: string, reference: string): Promise<void>
  collect(options: { readonly isDryRun: boolean }): Promise<CollectReport>
  setRules(rules: readonly string[]): Promise<readonly RetentionRule[]>
  accounts(): Promise<readonly RegistryAccount[]>
  /** `*` is anybody. Without a password a user keeps the one that there is. */
  putUser(name: string, options: { readonly password?: string; readonly grants: readonly string[] }): Promise<void>
  removeUser(name: string): Promise<void>
}

const BASE = '/glovebox/v1/registry'

export function registryCalls(transport: Transport): RegistryCalls {
  return {
    status: () => json(transport, { method: 'GET', path: BASE }),
    repositories: () => json(transport, { method: 'GET', path: `${BASE}/repositories` }),
    content: (name) => json(transport, { method: 'GET', path: `${BASE}/repositories/${segment(name)}` }),
    remove: async (name, reference) =>
      void (await json(transport, { method: 'DELETE', path: `${BASE}/repositories/${segment(name)}/${segment(reference)}` })),
    collect: ({ isDryRun }) => json(transport, { method: isDryRun ? 'GET' : 'POST', path: `${BASE}/gc` }),
    setRules: (rules) => json(transport, { method: 'PUT', path: `${BASE}/rules`, json: { rules } }),
    accounts: () => json(transport, { method: 'GET', path: `${BASE}/users` }),
    putUser: async (name, options) =>
      void (await json(transport, { method: 'PUT', path: `${BASE}/users/${segment(name)}`, json: options })),
    removeUser: async (name) => void (await json(transport, { method: 'DELETE', path: `${BASE}/users/${segment(name)}` })),
  }
}
