import type { RouteFailure, RoutePort, RouteSpec } from '#cluster/reconcile'

/** One router for several that each know only their own routes. What one wants stays when another changes its mind. */
export interface SharedRoutes {
  of(owner: string): RoutePort
}

export function sharedRoutes(router: RoutePort): SharedRoutes {
  const lists = new Map<string, readonly RouteSpec[]>()
  return {
    of: (owner) => ({
      ...router,
      apply: async (routes): Promise<readonly RouteFailure[]> => {
        lists.set(owner, routes)
        const failures = await router.apply([...lists.values()].flat())
        const own = new Set(routes.map(({ id }) => id))
        return failures.filter(({ id }) => own.has(id))
      },
      connections: async () => await router.connections(),
      freePort: async (hostIp) => await router.freePort(hostIp),
    }),
  }
}
