import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Clock, Log } from '#base'
import type { Accounts, Action, Proxy, Repositories, Tokens } from '#engine/repositories'

/** What the registry's API serves. */
export interface RegistryApiNeeds {
  readonly repositories: Repositories
  readonly accounts: Accounts
  readonly tokens: Tokens
  /** Copies of other registries; undefined: there are none. */
  readonly proxy?: Proxy
  readonly clock: Clock
  readonly log: Log
}

/** One request, its address taken apart. */
export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly query: URLSearchParams
  /** Throws `registry_api.unauthorized` or `registry_api.denied` unless whoever asks may do this. */
  readonly demand: (name: string, ...actions: readonly Action[]) => void
  /** Whether whoever asks may, for what is only a look. */
  readonly may: (name: string, action: Action) => boolean
}
