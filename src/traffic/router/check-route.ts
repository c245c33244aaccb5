import { isIP } from 'node:net'

import { checkRule } from './check-rule.ts'
import { routeError } from './errors.ts'
import { bindingOf, entryKind, entryName } from './names.ts'
import type { Route } from './port.ts'

/** More groups or backends than anybody has; each backend is a line of the configuration. */
const MAX_BACKENDS = 2000

/** What is wrong with a route by itself or beside those that were accepted before it. Throws `route.invalid`. */
export function checkRoute(route: Route, others: readonly Route[]): void {
  const refuse = (message: string) => {
    throw routeError('route.invalid', `route ${route.id}: ${message}`)
  }
  if (route.hostIp !== '' && isIP(route.hostIp) === 0) refuse(`${JSON.stringify(route.hostIp)} is not an address`)
  if (!isPort(route.hostPort)) refuse(`${route.hostPort} is not a port`)
  if (others.some((other) => other.id === route.id)) refuse('there is another route with this id')
  checkBackends(route, refuse)
  if (route.rule !== undefined) checkRule(route.mode, route.rule, refuse)
  for (const other of others) checkNeighbours(route, other, refuse)
}

function checkBackends({ backends, groups }: Route, refuse: (message: string) => void): void {
  if (backends.length > MAX_BACKENDS) refuse(`${backends.length} backends are more than ${MAX_BACKENDS}`)
  for (const { id, address, port } of backends) {
    if (!/^[A-Za-z0-9_.-]{1,200}$/.test(id)) refuse(`${JSON.stringify(id)} is not a name for a backend`)
    if (isIP(address) === 0 || !isPort(port)) refuse(`backend ${id}: ${address} port ${port} is not an address`)
  }
  if (hasDoubles(backends.map((backend) => backend.id))) refuse('two backends have the same name')
  for (const { name, share } of groups ?? []) {
    if (!Number.isFinite(share) || share < 0 || share > 1_000_000) refuse(`group ${name}: ${share} is not a share`)
  }
  if (hasDoubles((groups ?? []).map((group) => group.name))) refuse('two groups have the same name')
}

/** Routes may come in at one place together when they can be told apart by what is asked for. */
function checkNeighbours(route: Route, other: Route, refuse: (message: string) => void): void {
  if (other.hostIp !== route.hostIp || other.hostPort !== route.hostPort) return
  const kind = entryKind(route)
  const place = bindingOf(entryName(kind, route.hostIp, route.hostPort))
  if (entryKind(other) !== kind) refuse(`route ${other.id} has ${place} for ${entryKind(other)}, and this is ${kind}`)
  if ((other.rule?.hasProxyProtocol ?? false) !== (route.rule?.hasProxyProtocol ?? false)) {
    refuse(`route ${other.id} does not agree on the PROXY protocol at ${place}`)
  }
  const hosts = hostsOf(other)
  const path = other.rule?.path ?? { type: 'prefix', value: '/' }
  const own = route.rule?.path ?? { type: 'prefix', value: '/' }
  if (path.type !== own.type || trimPath(path.value) !== trimPath(own.value)) return
  const shared = hostsOf(route).find((host) => hosts.includes(host))
  if (shared !== undefined) {
    refuse(`${shared === '*' ? '' : `${shared}${own.value} at `}${place} is taken by another route, ${other.id}`)
  }
}

/** `*`: any. */
function hostsOf({ rule }: Route): readonly string[] {
  return rule === undefined || rule.hosts.length === 0 ? ['*'] : rule.hosts.map((host) => host.toLowerCase())
}

/** `/api` and `/api/` are the same place for prefixes. */
export function trimPath(path: string): string {
  return path === '/' ? path : path.replace(/\/$/, '')
}

function hasDoubles(names: readonly string[]): boolean {
  return new Set(names).size < names.length
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
