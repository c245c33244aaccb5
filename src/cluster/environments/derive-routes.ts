import { invariant } from '#base'
import type { RouteSpec } from '#cluster/spec'

import { environmentError } from './errors.ts'
import { checkedHost, derivedHost } from './names.ts'
import type { EnvironmentWish } from './wish.ts'

/** Names of routes that only their port tells from those of the source: each needs one of its own. */
export function routesByPort(routes: readonly RouteSpec[] | undefined): readonly RouteSpec[] {
  return (routes ?? []).filter(({ rule }) => rule.hosts.length === 0)
}

/** Errors: `environment.host_invalid`. */
export function deriveRoutes(
  routes: readonly RouteSpec[],
  wish: Pick<EnvironmentWish, 'name' | 'hostPattern' | 'hosts' | 'routePorts'> & { readonly application: string },
  tell: (note: string) => void,
): readonly RouteSpec[] {
  const known = new Set(routes.flatMap(({ rule }) => rule.hosts))
  for (const host of Object.keys(wish.hosts))
    if (!known.has(host))
      throw environmentError('environment.host_invalid', `no route of the application has the host ${host}`, {
        hint: known.size === 0 ? 'Its routes are told apart by ports alone.' : `It has ${[...known].join(', ')}.`,
      })
  const hostOf = (host: string) => {
    const said = wish.hosts[host]
    return said === undefined ? derivedHost(host, wish.hostPattern, wish) : checkedHost(said)
  }
  return routes.map((route) => {
    const { rule, name } = route
    const isByPort = rule.hosts.length === 0
    const ownPort = wish.routePorts[name]
    invariant(!isByPort || ownPort !== undefined, `the route ${name} has no host and no port of its own`)
    if (isByPort) tell(`route ${name}: at port ${ownPort} instead of ${route.port}, for it has no host`)
    return {
      ...route,
      port: ownPort ?? route.port,
      rule: {
        ...rule,
        hosts: rule.hosts.map(hostOf),
        tls: tlsOf(route, isByPort, tell),
        redirect:
          rule.redirect !== null && rule.redirect.host !== null && known.has(rule.redirect.host)
            ? { ...rule.redirect, host: hostOf(rule.redirect.host) }
            : rule.redirect,
      },
    }
  })
}

/** Certificates in files are for the hosts of the source. */
function tlsOf({ name, rule }: RouteSpec, isByPort: boolean, tell: (note: string) => void): RouteSpec['rule']['tls'] {
  const { tls } = rule
  if (tls === null) return null
  if (tls.certificate.type === 'files')
    tell(`route ${name}: a certificate of this installation's own CA, for the files are for other hosts`)
  return {
    ...tls,
    certificate: tls.certificate.type === 'files' ? { type: 'own' } : tls.certificate,
    redirectFromPort: isByPort ? null : tls.redirectFromPort,
  }
}
