import type { Clock, Log, RecordStore } from '#base'
import { registryApi, serveRegistry } from '#api/registry'
import { systemRandom } from '#base'
import { createRepositories, createTokens, openAccounts, type Accounts, type Repositories } from '#engine/repositories'

import { isLoopback, type RegistryListenOptions } from './registry-arguments.ts'

/** The registry that this machine serves, and what there is to say about it. */
export interface ServedRegistry extends AsyncDisposable {
  readonly repositories: Repositories
  readonly accounts: Accounts
  /** `HOST:PORT`; undefined: it is not served. */
  readonly address: string | undefined
}

export interface RegistryWiring {
  readonly root: string
  readonly registry: RegistryListenOptions | undefined
  readonly store: RecordStore
  readonly clock: Clock
  readonly log: Log
}

/** Opens what is kept, and serves it where that is asked for. */
export async function openRegistry({ root, registry, store: records, clock, log }: RegistryWiring): Promise<ServedRegistry> {
  const random = systemRandom()
  const repositories = createRepositories({ root, records, clock, random })
  await repositories.recover()
  // Who can reach this machine from inside has more than the registry; others must sign in.
  const accounts = openAccounts(records, random, { isOpenWithoutUsers: registry === undefined || isLoopback(registry.host) })
  if (registry === undefined) return { repositories, accounts, address: undefined, [Symbol.asyncDispose]: async () => undefined }
  const api = registryApi({ repositories, accounts, tokens: createTokens(records, random, clock), clock, log })
  const serving = await serveRegistry({ ...registry, api, clock, log })
  log.info('serving the registry', { address: serving.path })
  return { repositories, accounts, address: serving.path, [Symbol.asyncDispose]: async () => await serving.close() }
}
