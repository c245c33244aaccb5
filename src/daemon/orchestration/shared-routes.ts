import type { Clock } from '#base'
import type { RouteFailure, RoutePort, RouteSpec } from '#cluster/reconcile'

/** One router for several that each know only their own routes. What one wants stays when another changes its mind. */
export interface SharedRoutes {
  of(owner: string): RoutePort
}

/** One who does not come is not waited for any longer: the routes of the others may have changed. */
const ALL_SPOKEN_WITHIN_MS = 5000

/** `owners`: the router is told nothing before each of them has said what it wants, for it would take away what it routes for the others. */
export function sharedRoutes(router: RoutePort, clock: Clock, owners: readonly string[]): SharedRoutes {
  const lists = new Map<string, readonly RouteSpec[]>()
  const complete = Promise.withResolvers<void>()
  let patience: Disposable | undefined
  const say = (owner: string, routes: readonly RouteSpec[]) => {
    lists.set(owner, routes)
    if (owners.every((known) => lists.has(known))) {
      patience?.[Symbol.dispose]()
      complete.resolve()
    } else patience ??= clock.after(ALL_SPOKEN_WITHIN_MS, complete.resolve)
  }
  return {
    of: (owner) => ({
      ...router,
      apply: async (routes): Promise<readonly RouteFailure[]> => {
        say(owner, routes)
        await complete.promise
        const failures = await router.apply([...lists.values()].flat())
        const own = new Set(routes.map(({ id }) => id))
        return failures.filter(({ id }) => own.has(id))
      },
      connections: async () => await router.connections(),
      freePort: async (hostIp) => await router.freePort(hostIp),
    }),
  }
}
