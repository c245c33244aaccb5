import type { RegistryMirror } from '#api/glovebox'
import { registryApi, serveRegistry } from '#api/registry'
import { messageOf, systemRandom, type Clock, type Log, type RecordStore } from '#base'
import type { OwnRegistry, Registries } from '#engine/registry'
import {
  createProxy,
  createRepositories,
  createTokens,
  openAccounts,
  openRules,
  type Accounts,
  type CollectReport,
  type Repositories,
  type RetentionRules,
} from '#engine/repositories'

import { ownRegistry } from './own-registry.ts'
import { isLoopback, type RegistryListenOptions } from './registry-arguments.ts'

/** Often enough that nothing piles up, seldom enough that nobody notices. */
const COLLECT_EVERY_MS = 6 * 3_600_000

/** The registry that this machine serves, and what there is to say about it. */
export interface ServedRegistry extends AsyncDisposable {
  readonly repositories: Repositories
  readonly accounts: Accounts
  readonly rules: RetentionRules
  /** `HOST:PORT`; undefined: it is not served. */
  readonly address: string | undefined
  /** For transfers of this daemon's own; undefined: it is not served. */
  readonly own: OwnRegistry | undefined
  readonly mirrors: readonly RegistryMirror[]
  collect(isDryRun: boolean): Promise<CollectReport>
  lastCollection(): { readonly atMs: number; readonly report: CollectReport } | undefined
}

export interface RegistryWiring {
  readonly root: string
  readonly registry: RegistryListenOptions | undefined
  readonly store: RecordStore
  readonly registries: Pick<Registries, 'upstream'>
  readonly clock: Clock
  readonly log: Log
}

/** Opens what is kept, serves it where that is asked for, and cleans it by its rules now and then. */
export async function openRegistry({
  root,
  registry,
  store: records,
  registries,
  clock,
  log,
}: RegistryWiring): Promise<ServedRegistry> {
  await using undo = new AsyncDisposableStack()
  const random = systemRandom()
  const repositories = createRepositories({ root, records, clock, random })
  await repositories.recover()
  // Who can reach this machine from inside has more than the registry; others must sign in.
  const accounts = openAccounts(records, random, { isOpenWithoutUsers: registry === undefined || isLoopback(registry.host) })
  const rules = openRules(records)
  let last: { readonly atMs: number; readonly report: CollectReport } | undefined
  const collect = async (isDryRun: boolean): Promise<CollectReport> => {
    const report = await repositories.collect({ rules: rules.get(), isDryRun })
    if (isDryRun) return report
    last = { atMs: clock.nowMs(), report }
    const { removed, reclaimedBytes } = report
    if (removed.length > 0) log.info('cleaned the registry', { removed: removed.length, reclaimedBytes })
    return report
  }
  undo.use(regularly(clock, COLLECT_EVERY_MS, async () => void (await collect(false)), log))
  const proxied = registry?.proxies ?? []
  const proxies = proxied.map(({ prefix, upstream }) => ({ prefix, upstream: registries.upstream(upstream) }))
  const shared = { repositories, accounts, rules, mirrors: proxied, collect, lastCollection: () => last }
  let address: string | undefined
  if (registry !== undefined) {
    const api = registryApi({
      repositories,
      accounts,
      tokens: createTokens(records, random, clock),
      proxy: createProxy(repositories, proxies, clock),
      clock,
      log,
    })
    const serving = await serveRegistry({ ...registry, api, clock, log })
    undo.defer(async () => await serving.close())
    address = serving.path
    log.info('serving the registry', { address })
  }
  const owned = undo.move()
  const own = address === undefined ? undefined : ownRegistry(repositories, address)
  return { ...shared, address, own, [Symbol.asyncDispose]: async () => await owned.disposeAsync() }
}

/** Works again and again, with the pause between the end of one and the next. */
function regularly(clock: Clock, everyMs: number, work: () => Promise<void>, log: Log): Disposable {
  let timer: Disposable | undefined
  const arm = () => {
    timer = clock.after(everyMs, () => {
      work()
        .catch((error: unknown) => log.error('clean the registry', { error: messageOf(error) }))
        .finally(arm)
    })
  }
  arm()
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
}
