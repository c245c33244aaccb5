import { isIP } from 'node:net'

import { sectionName } from './config.ts'
import { routeError } from './errors.ts'
import type { Route } from './port.ts'

/** Whatever goes into the configuration text has to be of these forms: nothing in it can then start another line or word. Throws `route.invalid`. */
export function checkRoute(route: Route, others: readonly Route[]): void {
  const refuse = (message: string) => {
    throw routeError('route.invalid', `route ${route.id}: ${message}`)
  }
  if (route.hostIp !== '' && isIP(route.hostIp) === 0) refuse(`${JSON.stringify(route.hostIp)} is not an address`)
  if (!isPort(route.hostPort)) refuse(`${route.hostPort} is not a port`)
  if (others.some((other) => other.hostIp === route.hostIp && other.hostPort === route.hostPort)) {
    refuse(`${sectionName(route)} is taken by another route`)
  }
  for (const { id, address, port } of route.backends) {
    if (!/^[A-Za-z0-9_.-]{1,200}$/.test(id)) refuse(`${JSON.stringify(id)} is not a name for a backend`)
    if (isIP(address) === 0 || !isPort(port)) refuse(`backend ${id}: ${address} port ${port} is not an address`)
  }
  const ids = route.backends.map((backend) => backend.id)
  if (new Set(ids).size < ids.length) refuse('two backends have the same name')
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
