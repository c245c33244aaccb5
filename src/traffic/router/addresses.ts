import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

import type { Clock } from '#base'

import type { Route } from './port.ts'

/** Addresses of backends that are given by name: what is not in our hands may move. */
export interface AddressBook {
  /** Routes with addresses only. A backend whose name was never found is left out; one that is not found now keeps its last address. */
  resolve(routes: readonly Route[]): Promise<ResolvedRoutes>
  /** Asks again for names that are older than they may be. True: one of them has moved. */
  refresh(): Promise<boolean>
}

export interface ResolvedRoutes {
  readonly routes: readonly Route[]
  /** By route id. */
  readonly problems: ReadonlyMap<string, string>
}

/** All addresses of a name. Rejects when there are none. */
export type LookUp = (name: string) => Promise<readonly string[]>

const MAX_AGE_MS = 10_000
/** What a resolver may take before a route is served without. */
const PATIENCE_MS = 2000

export function nodeLookUp(): LookUp {
  return async (name) => (await lookup(name, { all: true })).map((found) => found.address)
}

export function addressBook(find: LookUp, clock: Clock): AddressBook {
  const known = new Map<string, { address: string | undefined; atMs: number }>()
  const ask = async (name: string): Promise<boolean> => {
    const before = known.get(name)?.address
    const patience = new AbortController()
    const late = clock.sleep(PATIENCE_MS, patience.signal).then(() => undefined)
    late.catch(() => undefined)
    const found = await Promise.race([find(name).catch(() => undefined), late])
    patience.abort()
    // It stays where it is as long as that is one of its addresses.
    const address =
      found === undefined || found.length === 0 ? before : before !== undefined && found.includes(before) ? before : found[0]
    known.set(name, { address, atMs: clock.monotonicMs() })
    return address !== before
  }
  return {
    resolve: async (routes) => {
      const names = new Set(
        routes.flatMap((route) => route.backends.map((backend) => backend.address)).filter((address) => isIP(address) === 0),
      )
      for (const name of known.keys()) if (!names.has(name)) known.delete(name)
      await Promise.all([...names].filter((name) => !known.has(name)).map(ask))
      return resolveWith(routes, (name) => known.get(name)?.address)
    },
    refresh: async () => {
      const old = [...known].filter(([, { atMs }]) => clock.monotonicMs() - atMs >= MAX_AGE_MS)
      const moved = await Promise.all(old.map(async ([name]) => await ask(name)))
      return moved.includes(true)
    },
  }
}

function resolveWith(routes: readonly Route[], find: (name: string) => string | undefined): ResolvedRoutes {
  const problems = new Map<string, string>()
  const resolved = routes.map((route) => {
    if (route.backends.every((backend) => isIP(backend.address) !== 0)) return route
    const backends = route.backends.flatMap((backend) => {
      const address = isIP(backend.address) === 0 ? find(backend.address) : backend.address
      if (address === undefined)
        problems.set(route.id, `backend ${backend.id}: no address is found for ${JSON.stringify(backend.address)}`)
      return address === undefined ? [] : [{ ...backend, address }]
    })
    return { ...route, backends }
  })
  return { routes: resolved, problems }
}
