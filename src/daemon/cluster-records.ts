import { join } from 'node:path'

import { systemRandom, type Clock } from '#base'
import { openSecrets, type Secrets } from '#cluster/secrets'
import { openSqliteStore, type ClusterStore } from '#cluster/store'

import type { DaemonOptions } from './arguments.ts'

/** What the whole cluster is written down in, and the secrets that are kept there. */
export interface ClusterRecords extends AsyncDisposable {
  readonly store: ClusterStore
  readonly secrets: Secrets
}

/** Errors: those of the store's file. The key of the secrets is not touched before it is needed. */
export function openClusterRecords({
  root,
  secretsKeyFile,
  clock,
  counted = (store) => store,
}: Pick<DaemonOptions, 'root' | 'secretsKeyFile'> & {
  readonly clock: Clock
  /** Who counts what is written. */
  readonly counted?: (store: ClusterStore) => ClusterStore
}): ClusterRecords {
  const store = counted(openSqliteStore({ path: join(root, 'cluster.db'), clock }))
  const key =
    secretsKeyFile === undefined
      ? ({ type: 'own', path: join(root, 'secrets.key') } as const)
      : ({ type: 'given', path: secretsKeyFile } as const)
  const secrets = openSecrets({ store, clock, random: systemRandom(), key })
  return { store, secrets, [Symbol.asyncDispose]: async () => await store[Symbol.asyncDispose]() }
}
