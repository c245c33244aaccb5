import { messageOf, type Clock, type Log } from '#base'
import { keepTable, type NftPort } from '#traffic/ruleset'

import { explainName, type NameFinding } from './explain.ts'
import { serviceIndex, type NameQuestion, type ServiceIndex } from './names.ts'
import { backendsIn, backendsInListing, bindingsOf, forgottenBy, obsolete, ownerOf, planTable, type Binding } from './plan.ts'
import type { DiscoveredService, DiscoveryNetworks, DiscoverySource, ServiceAddress, VirtualAddress } from './port.ts'

/** Names and addresses of services, kept equal to what the source says. The rules stay in the kernel when the daemon ends. */
export interface Discovery extends AsyncDisposable {
  /** Something may have changed: look soon. */
  trigger(): void
  /** Takes a task out ahead of its end. Once it resolves nothing new is sent to it, until what it gives is disposed of. */
  withdraw(taskId: string): Promise<Disposable>
  /** Resolves when there are names for the first time. */
  readonly ready: Promise<void>
  /** As of now; another value after each change. */
  names(): ServiceIndex
  addresses(): readonly ServiceAddress[]
  /** Why a name means to somebody what it means. */
  explain(question: NameQuestion): NameFinding
  /** Called after each round that changed something. */
  listen(listener: () => void): Disposable
}

export interface DiscoveryNeeds {
  readonly source: DiscoverySource
  readonly networks: DiscoveryNetworks
  readonly nft: NftPort & {
    /** The table as it is printed; undefined: not there. */
    list(table: string): Promise<string | undefined>
  }
  readonly table: string
  readonly clock: Clock
  readonly log: Log
}

/** Events of the source drive the loop; this catches those that were lost, and a table that somebody flushed. */
const SLOW_ROUND_MS = 15_000
/** nftables or the source refuse. */
const BROKEN_ROUND_MS = 1000

export function startDiscovery(needs: DiscoveryNeeds): Discovery {
  const { source, networks, nft, table, clock, log } = needs
  const keeper = keepTable({ nft, table, log })
  /** How many hold a task back. */
  const withdrawn = new Map<string, number>()
  const listeners = new Set<() => void>()
  const ready = Promise.withResolvers<void>()
  let index = serviceIndex([])
  /** As the source says it, and as the kernel has it. */
  let wanted: readonly Binding[] = []
  let bindings: readonly Binding[] = []
  /** Addresses of services that the kernel answers for. */
  let standing: ReadonlySet<string> = new Set()
  /** Where new connections went until now; undefined: not known yet. */
  let backends: ReadonlySet<string> | undefined
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  let isClosed = false
  let isBusy = false
  let timer: Disposable | undefined

  /** Names follow at once, whatever the kernel is doing: what is not ready any more is not told from here on. */
  const look = async () => {
    const services = (await source.services()).map((service) => without(service, withdrawn))
    for (const one of obsolete(services, networks.reservations(), (name) => networks.idOf(name)))
      networks.release(one.networkId, one.owner)
    wanted = bindingsOf(services, (name) => networks.idOf(name), virtualOf)
    tell()
    return { services, wanted }
  }
  /** An address that the kernel does not answer for yet is not told. */
  const tell = () => {
    index = serviceIndex(
      wanted.map((one) => (one.virtual.every((address) => standing.has(address)) ? one : { ...one, virtual: [] })),
    )
  }
  const oneRound = async () => {
    timer?.[Symbol.dispose]()
    const seen = await look()
    ready.resolve()
    await bring(seen.wanted, seen.services)
    tell()
    const isNews = JSON.stringify(bindings) !== JSON.stringify(seen.wanted)
    bindings = seen.wanted
    if (isNews) for (const listener of listeners) listener()
  }
  const bring = async (bound: readonly Binding[], services: readonly DiscoveredService[]) => {
    const before = backends ?? backendsInListing((await nft.list(table)) ?? '')
    const ruleset = planTable(bound, { seesNeighbours: networks.seesNeighbours() })
    await keeper.bring(ruleset)
    standing = new Set(bound.flatMap(({ virtual }) => virtual))
    backends = ruleset === null ? new Set() : backendsIn(ruleset.elements)
    const { all, udp } = forgottenBy(before, services)
    if (all.length > 0) networks.forget(all, 'all')
    if (udp.length > 0) networks.forget(udp, 'udp')
  }
  const virtualOf = (service: DiscoveredService, network: string): VirtualAddress | undefined => {
    try {
      return networks.reserve(network, ownerOf(service))
    } catch (error) {
      log.warn('a service gets no address of its own; its name is answered with those of its tasks', {
        service: ownerOf(service),
        network,
        error: messageOf(error),
      })
      return undefined
    }
  }
  const round = (): Promise<void> => {
    next ??= running.then(async () => {
      next = undefined
      if (isClosed) return
      let againMs = BROKEN_ROUND_MS
      isBusy = true
      try {
        await oneRound()
        againMs = SLOW_ROUND_MS
      } catch (error) {
        log.error('bring the addresses of services to the kernel', { error: messageOf(error) })
      }
      isBusy = false
      if (!isClosed && next === undefined) timer = clock.after(againMs, () => void slowRound())
    })
    running = next
    return next
  }
  const slowRound = async () => {
    try {
      await keeper.verify()
    } catch (error) {
      log.warn('look for the table of services', { error: messageOf(error) })
    }
    await round()
  }
  const events = source.listen(() => {
    // A round that is under way took its picture before.
    if (isBusy && !isClosed) look().catch((error: unknown) => log.warn('look at the services', { error: messageOf(error) }))
    void round()
  })
  return {
    trigger: () => void round(),
    withdraw: async (taskId) => {
      withdrawn.set(taskId, (withdrawn.get(taskId) ?? 0) + 1)
      await round()
      return {
        [Symbol.dispose]: () => {
          const left = (withdrawn.get(taskId) ?? 1) - 1
          if (left > 0) withdrawn.set(taskId, left)
          else withdrawn.delete(taskId)
          void round()
        },
      }
    },
    ready: ready.promise,
    names: () => index,
    addresses: () => bindings,
    explain: (question) => explainName(index, wanted, question),
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      events[Symbol.dispose]()
      timer?.[Symbol.dispose]()
      await running
    },
  }
}

function without(service: DiscoveredService, withdrawn: ReadonlyMap<string, number>): DiscoveredService {
  if (!service.tasks.some(({ id }) => withdrawn.has(id))) return service
  const tasks = service.tasks.map((task) => (withdrawn.has(task.id) ? { ...task, isReady: false } : task))
  return { ...service, tasks }
}
