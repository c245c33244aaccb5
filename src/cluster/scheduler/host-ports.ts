import { isIPv6 } from 'node:net'

import type { TaskGroup } from './port.ts'

/** A port of a node that a task takes for itself. */
export interface PortClaim {
  /** `tcp/80`: protocols have ports of their own. */
  readonly port: string
  readonly address: string
}

/** Ports that the node chooses itself are in nobody's way. */
export function claimsOf(group: TaskGroup): readonly PortClaim[] {
  return group.hostPorts.flatMap(({ protocol, published, hostIp }) =>
    published === null ? [] : [{ port: `${protocol}/${published}`, address: plainAddress(hostIp) }],
  )
}

/** Whether one port can be had on both: not on the same address, and not on one where the other has all of them. */
export function overlaps(a: string, b: string): boolean {
  if (a === b || a === EVERY_ADDRESS || b === EVERY_ADDRESS) return true
  if (a === EVERY_IPV4) return !isIPv6(b)
  return b === EVERY_IPV4 && !isIPv6(a)
}

export function describeClaim({ port, address }: PortClaim): string {
  const [protocol, number] = port.split('/')
  return `${address === EVERY_IPV4 ? '' : `${address.includes(':') ? `[${address}]` : address}:`}${number}/${protocol}`
}

const EVERY_IPV4 = ''
/** A socket on it takes IPv4 connections as well. */
const EVERY_ADDRESS = '::'

/** One way of writing each address. */
function plainAddress(hostIp: string): string {
  const bare = hostIp.replace(/^\[|\]$/g, '').toLowerCase()
  if (bare === '0.0.0.0') return EVERY_IPV4
  return isIPv6(bare) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare
}
