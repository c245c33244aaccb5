import { isIPv4 } from 'node:net'

import type { ConnectionFilter, Host } from '#host'

import type { PortRule } from './nft-plan.ts'

/**
 * Which tracked connections are to be forgotten when ports came or went. Those of a container that is gone: a client that keeps its source
 * port would go on talking to an address that somebody else gets. And UDP to a port that was not published until now: such packets
 * went to the host itself, and would go on to.
 */
export function forgetOf(
  added: readonly PortRule[],
  removed: readonly PortRule[],
  hostAddresses: readonly string[],
): readonly ConnectionFilter[] {
  return ([4, 6] as const).flatMap((family) => {
    const gone = [...new Set(removed.map(({ containerIp }) => containerIp))].filter((address) => familyOf(address) === family)
    const ports = added
      .filter(({ protocol, hostIp }) => protocol === 'udp' && familyOf(hostIp) === family)
      .map(({ hostPort }) => hostPort)
    const own = hostAddresses.filter((address) => familyOf(address) === family)
    return [
      ...(gone.length === 0 ? [] : [{ family, repliesFrom: gone }]),
      ...(ports.length === 0 || own.length === 0
        ? []
        : [{ family, repliesFrom: own, to: { protocol: 'udp' as const, ports: [...new Set(ports)] } }]),
    ]
  })
}

function familyOf(address: string): 4 | 6 {
  return isIPv4(address) ? 4 : 6
}

export function localAddresses(links: Pick<Host['links'], 'listAddresses'>): readonly string[] {
  return [...new Set(links.listAddresses().map(({ address }) => address.split('/')[0] ?? ''))]
}
