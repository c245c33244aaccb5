import { messageOf } from '#base'

import { checkRoute } from './check-route.ts'
import { entriesOf } from './entries.ts'
import { routeError } from './errors.ts'
import { probeListen } from './listen-probe.ts'
import { bindingOf, listenAddresses } from './names.ts'
import type { Route, RouteFailure } from './port.ts'

export interface Sifted {
  readonly accepted: readonly Route[]
  readonly failures: readonly RouteFailure[]
}

/**
 * Those that can be served: they are sound, agree with each other, and can be listened for. A failed bind would make HAProxy refuse the whole configuration,
 * so it is tried first where nobody of ours listens yet.
 */
export async function siftRoutes(routes: readonly Route[], running: ReadonlySet<string>, hasIpv6: boolean): Promise<Sifted> {
  const accepted: Route[] = []
  const failures: RouteFailure[] = []
  const probed = new Set<string>(running)
  for (const route of routes) {
    try {
      checkRoute(route, accepted)
      checkPlaces([...accepted, route])
      for (const entry of entriesOf([route])) {
        if (probed.has(bindingOf(entry.name))) continue
        for (const address of listenAddresses(entry.hostIp, hasIpv6)) await probeListen(address, entry.port)
        probed.add(bindingOf(entry.name))
      }
      accepted.push(route)
    } catch (error) {
      failures.push({ id: route.id, reason: messageOf(error) })
    }
  }
  return { accepted, failures }
}

/** One place is heard in one way: also where a redirect to https comes in. Throws `route.invalid`. */
function checkPlaces(routes: readonly Route[]): void {
  const names = new Map<string, string>()
  for (const { name, uses } of entriesOf(routes)) {
    const place = bindingOf(name)
    const other = names.get(place)
    if (other !== undefined)
      throw routeError('route.invalid', `${place} cannot be both ${other.split('-')[0] ?? ''} and ${name.split('-')[0] ?? ''}`)
    if (new Set(uses.map((use) => use.rule.hasProxyProtocol)).size > 1)
      throw routeError('route.invalid', `at ${place} not all agree on the PROXY protocol`)
    names.set(place, name)
  }
}
