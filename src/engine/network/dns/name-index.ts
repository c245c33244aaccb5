import { formatAddress, parseAddress } from '#host'

import type { Endpoint, Network } from '../port.ts'

/** Who answers to which name, in each network. Several endpoints may share a name: that is how replicas are found. */
export interface NameIndex {
  add(endpoint: Endpoint): void
  remove(endpoint: Endpoint): void
  named(networkId: string, name: string): readonly Endpoint[]
  at(networkId: string, address: string): Endpoint | undefined
}

export function nameIndex(): NameIndex {
  const byName = new Map<string, Map<string, Endpoint>>()
  const byAddress = new Map<string, Endpoint>()
  const keyOf = (networkId: string, name: string) => `${networkId} ${name.toLowerCase()}`
  const addressesOf = ({ ipAddress, ipv6Address }: Endpoint) => [ipAddress, ipv6Address].filter((address) => address !== '')
  return {
    add: (endpoint) => {
      for (const name of endpoint.dnsNames) {
        const key = keyOf(endpoint.networkId, name)
        byName.set(key, (byName.get(key) ?? new Map<string, Endpoint>()).set(endpoint.endpointId, endpoint))
      }
      for (const address of addressesOf(endpoint)) byAddress.set(keyOf(endpoint.networkId, address), endpoint)
    },
    remove: (endpoint) => {
      for (const name of endpoint.dnsNames) {
        const key = keyOf(endpoint.networkId, name)
        const endpoints = byName.get(key)
        endpoints?.delete(endpoint.endpointId)
        if (endpoints?.size === 0) byName.delete(key)
      }
      for (const address of addressesOf(endpoint)) {
        const key = keyOf(endpoint.networkId, address)
        if (byAddress.get(key)?.endpointId === endpoint.endpointId) byAddress.delete(key)
      }
    },
    named: (networkId, name) => [...(byName.get(keyOf(networkId, name))?.values() ?? [])],
    at: (networkId, address) => byAddress.get(keyOf(networkId, formatAddress(parseAddress(address)))),
  }
}

/**
 * The endpoints that a name means to somebody on these networks: the first network that knows it wins. `web.front` means web on the
 * network front. Undefined: nobody has that name.
 */
export function endpointsNamed(
  index: Pick<NameIndex, 'named'>,
  networks: readonly Pick<Network, 'id' | 'name'>[],
  name: string,
): readonly Endpoint[] | undefined {
  for (const network of networks) {
    const suffix = `.${network.name.toLowerCase()}`
    const candidates = [name, ...(name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : [])]
    for (const candidate of candidates) {
      const found = index.named(network.id, candidate)
      if (found.length > 0) return found
    }
  }
  return undefined
}
