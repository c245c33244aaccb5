import type { Endpoint } from './port.ts'

/**
 * The endpoint that has a container's default route of a family: among those with a way out the one of highest priority, and of equal ones that
 * which was attached first.
 */
export function gatewayEndpoint(endpoints: readonly Endpoint[], family: 4 | 6): Endpoint | undefined {
  return endpoints
    .filter((endpoint) => hasWayOut(endpoint, family))
    .reduce<Endpoint | undefined>(
      (best, endpoint) => (best === undefined || endpoint.gatewayPriority > best.gatewayPriority ? endpoint : best),
      undefined,
    )
}

function hasWayOut(endpoint: Endpoint, family: 4 | 6): boolean {
  const [address, gateway] = family === 4 ? [endpoint.ipAddress, endpoint.gateway] : [endpoint.ipv6Address, endpoint.ipv6Gateway]
  return address !== '' && (gateway !== '' || endpoint.isRoutedOnLink)
}

/** How the default route through an endpoint reads: by a gateway, or straight onto the link. */
export interface DefaultRoute {
  readonly family: 4 | 6
  readonly link: string
  readonly via: string | undefined
}

/** The default routes that a set of endpoints gives their container. */
export function defaultRoutes(endpoints: readonly Endpoint[]): readonly DefaultRoute[] {
  return ([4, 6] as const).flatMap((family) => {
    const endpoint = gatewayEndpoint(endpoints, family)
    if (endpoint === undefined) return []
    const via = family === 4 ? endpoint.gateway : endpoint.ipv6Gateway
    return [{ family, link: endpoint.guestLink, via: via === '' ? undefined : via }]
  })
}

/** Those that have to be set when endpoints come or go. What is no longer there needs no deleting: it went with its link, or is replaced. */
export function changedRoutes(before: readonly Endpoint[], after: readonly Endpoint[]): readonly DefaultRoute[] {
  const old = new Set(defaultRoutes(before).map(keyOf))
  return defaultRoutes(after).filter((route) => !old.has(keyOf(route)))
}

function keyOf({ family, link, via }: DefaultRoute): string {
  return `${family} ${link} ${via ?? ''}`
}
