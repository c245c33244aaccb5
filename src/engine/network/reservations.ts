import type { NetworkId, RecordStore } from '#base'
import type { Host } from '#host'

import { nextAddress } from './address-pool.ts'
import { formatIp, includes, parseCidr, parseIp } from './cidr.ts'
import { networkError } from './errors.ts'
import { bridgeSettings } from './options.ts'
import type { Endpoint, Network, Reservation, Subnet } from './port.ts'

/** Addresses of networks that no container gets. The host answers for them on the network's bridge. */
export interface Reservations {
  /** The addresses of this owner, chosen at the first call. Undefined: the network cannot have any. `network.pool_exhausted`. */
  reserve(network: Network, owner: string, endpoints: readonly Endpoint[]): Reservation | undefined
  release(network: Network, owner: string): void
  list(): readonly Reservation[]
  of(networkId: NetworkId): readonly Reservation[]
  /** With the network itself. */
  forget(networkId: NetworkId): void
}

/** A network of some dozens of services has as many; so many are a mistake, and would leave containers none. */
const MAX_PER_NETWORK = 16_384

export function createReservations({
  records,
  links,
}: {
  readonly records: RecordStore
  readonly links: Pick<Host['links'], 'listLinks' | 'addAddress' | 'removeAddress'>
}): Reservations {
  const table = records.table<Reservation>('network_reservation')
  const known = new Map(table.entries())
  const byNetwork = new Map<NetworkId, Map<string, Reservation>>()
  const note = (one: Reservation) =>
    byNetwork.set(one.networkId, (byNetwork.get(one.networkId) ?? new Map<string, Reservation>()).set(one.owner, one))
  for (const one of known.values()) note(one)
  const of = (networkId: NetworkId) => [...(byNetwork.get(networkId)?.values() ?? [])]
  const drop = (one: Reservation) => {
    table.delete(keyOf(one))
    byNetwork.get(one.networkId)?.delete(one.owner)
  }
  const isThere = (bridge: string) => links.listLinks().some(({ name }) => name === bridge)
  return {
    reserve: (network, owner, endpoints) => {
      if (!canReserve(network)) return undefined
      const before = byNetwork.get(network.id)?.get(owner)
      if (before !== undefined && isWithin(before, network)) return before
      if (before !== undefined) drop(before)
      const others = of(network.id)
      if (others.length >= MAX_PER_NETWORK)
        throw networkError('network.pool_exhausted', `network ${network.name}: ${others.length} addresses are reserved already`)
      const choose = (family: 4 | 6) => chooseFree(family, network, endpoints, others)
      const chosen = { networkId: network.id, owner, ipv4Address: choose(4), ipv6Address: choose(6) }
      table.put(keyOf(chosen), chosen)
      note(chosen)
      if (isThere(network.bridge)) for (const address of hostAddresses(chosen)) links.addAddress(network.bridge, address)
      return chosen
    },
    release: (network, owner) => {
      const one = byNetwork.get(network.id)?.get(owner)
      if (one === undefined) return
      drop(one)
      for (const address of hostAddresses(one)) links.removeAddress(network.bridge, address)
    },
    list: () => [...byNetwork.values()].flatMap((owners) => [...owners.values()]),
    of,
    forget: (networkId) => {
      for (const one of of(networkId)) drop(one)
      byNetwork.delete(networkId)
    },
  }
}

function keyOf({ networkId, owner }: Reservation): string {
  return `${networkId} ${owner}`
}

/** Only where the host has an end of the wire, and containers may talk to each other at all. */
function canReserve(network: Network): boolean {
  return network.driver === 'bridge' && !network.isPredefined && bridgeSettings(network.name, network.options).hasInterContainer
}

/** A network that nobody used may have got another subnet since. */
function isWithin({ ipv4Address, ipv6Address }: Reservation, { subnets }: Network): boolean {
  return ([4, 6] as const).every((family) => {
    const subnet = subnets.find((one) => one.family === family)
    const address = family === 4 ? ipv4Address : ipv6Address
    if (subnet === undefined || address === '') return subnet === undefined && address === ''
    return includes(parseCidr(subnet.subnet, 'subnet'), parseIp(address, 'reserved address').value)
  })
}

/** In CIDR form, as the bridge has them: alone, so that no route comes with them. */
export function hostAddresses({ ipv4Address, ipv6Address }: Reservation): readonly string[] {
  return [...(ipv4Address === '' ? [] : [`${ipv4Address}/32`]), ...(ipv6Address === '' ? [] : [`${ipv6Address}/128`])]
}

export function reservedIn(family: 4 | 6, reservations: readonly Reservation[]): readonly string[] {
  return reservations.map((one) => (family === 4 ? one.ipv4Address : one.ipv6Address)).filter((address) => address !== '')
}

function chooseFree(family: 4 | 6, network: Network, endpoints: readonly Endpoint[], others: readonly Reservation[]): string {
  const subnet: Subnet | undefined = network.subnets.find((one) => one.family === family)
  if (subnet === undefined) return ''
  const given = endpoints.map((one) => (family === 4 ? one.ipAddress : one.ipv6Address)).filter((address) => address !== '')
  const reserved = reservedIn(family, others).map((address) => parseIp(address, 'address').value)
  const used = new Set([...given.map((address) => parseIp(address, 'address').value), ...reserved])
  // Behind the highest so far, from the middle on: containers get theirs from the start, and come less often across these.
  const whole = parseCidr(subnet.ipRange ?? subnet.subnet, 'subnet')
  const middle = whole.base + (1n << BigInt((family === 4 ? 32 : 128) - whole.prefixLength)) / 2n
  const cursor = reserved.reduce((highest, one) => (one > highest ? one : highest), middle - 1n)
  const value = nextAddress(subnet, used, cursor)
  if (value !== undefined) return formatIp(family, value)
  throw networkError('network.pool_exhausted', `no available IPv${family} addresses on network ${network.name} for a service`, {
    hint: 'Create a network with a larger subnet (--subnet).',
  })
}
