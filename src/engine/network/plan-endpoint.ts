import { isIP } from 'node:net'

import { invariant, newId, shortId } from '#base'
import type { ContainerId, EndpointId } from '#base'

import type { AddressMemory } from './address-memory.ts'
import { macOfIpv4, nextAddress, wantedAddress } from './address-pool.ts'
import { formatIp, includes, parseCidr, parseIp } from './cidr.ts'
import type { Context } from './context.ts'
import { endpointSettings } from './endpoint-options.ts'
import { networkError } from './errors.ts'
import { bridgeSettings } from './options.ts'
import { isParentDriver, parentSettings } from './parent-options.ts'
import type { AttachRequest, Endpoint, Network, Reservation, Subnet } from './port.ts'
import { reservedIn } from './reservations.ts'
import type { Sandbox } from './state.ts'

export interface EndpointPlan {
  readonly endpoint: Endpoint
  /** With prefix length. */
  readonly linkLocal: readonly string[]
  /** With `IFNAME` where the link's name goes. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[]
}

/** Chooses addresses, names and links for a container that joins a network; changes nothing. */
export function planEndpoint(
  context: Pick<Context, 'state' | 'random' | 'names' | 'reservations'>,
  memory: AddressMemory,
  network: Network,
  sandbox: Sandbox,
  request: AttachRequest,
): EndpointPlan {
  const { containerId, containerName, aliases = [], links = [], macAddress, gatewayPriority = 0 } = request
  if (network.isPredefined && aliases.length > 0)
    throw networkError('network.invalid', 'network-scoped alias is supported only for containers in user defined networks')
  const settings = endpointSettings(containerName, request.driverOptions ?? {})
  const others = context.state.endpoints(network.id)
  const reserved = context.reservations.of(network.id)
  const choose = (family: 4 | 6, wanted: string | null | undefined) =>
    chooseAddress({ family, wanted, network, others, reserved, memory, containerId })
  const v4 = choose(4, request.ipv4Address)
  const v6 = choose(6, request.ipv6Address)
  const endpointId = newId<EndpointId>(context.random)
  const isRoutedOnLink = network.driver === 'ipvlan' && parentSettings(network.name, 'ipvlan', network.options).mode !== 'l2'
  const gatewayOf = (subnet: Subnet | undefined) => (network.isInternal || isRoutedOnLink ? '' : (subnet?.gateway ?? ''))
  const endpoint: Endpoint = {
    networkId: network.id,
    networkName: network.name,
    endpointId,
    containerId,
    containerName,
    gateway: gatewayOf(v4?.subnet),
    ipAddress: v4?.text ?? '',
    ipPrefixLength: v4?.prefixLength ?? 0,
    ipv6Gateway: gatewayOf(v6?.subnet),
    ipv6Address: v6?.text ?? '',
    ipv6PrefixLength: v6?.prefixLength ?? 0,
    macAddress: network.driver === 'ipvlan' ? parentsMac(network, macAddress) : macFor(macAddress, v4?.value, endpointId),
    aliases,
    dnsNames: network.isPredefined ? [] : namesOf(request),
    links,
    gatewayPriority,
    isRoutedOnLink: isRoutedOnLink && !network.isInternal,
    hostLink: isParentDriver(network.driver) ? '' : context.names.hostLink(endpointId),
    guestLink: guestLink(network, sandbox, settings.guestLink, containerName),
  }
  const linkLocal = (request.linkLocalAddresses ?? []).map((address) => linkLocalAddress(address, containerName))
  return { endpoint, linkLocal, sysctls: settings.sysctls }
}

function namesOf({ containerName, containerId, hostname = '', aliases = [] }: AttachRequest): readonly string[] {
  return [...new Set([containerName, ...aliases, shortId(containerId), hostname].filter((name) => name !== ''))]
}

function guestLink(network: Network, { endpoints }: Sandbox, wanted: string, containerName: string): string {
  const taken = new Set(endpoints.map((endpoint) => endpoint.guestLink))
  if (wanted !== '' && taken.has(wanted))
    throw networkError('network.invalid', `container ${containerName} has a link ${wanted} already, on another network`)
  if (wanted !== '') return wanted
  const prefix = isParentDriver(network.driver) ? 'eth' : bridgeSettings(network.name, network.options).guestPrefix
  const found = Array.from({ length: taken.size + 1 }, (_, at) => `${prefix}${at}`).find((name) => !taken.has(name))
  invariant(found !== undefined, 'one of n + 1 names is not among n')
  return found
}

function macFor(wanted: string | null | undefined, ipv4: bigint | undefined, endpointId: string): string {
  if (wanted !== undefined && wanted !== null && wanted !== '') return wanted.toLowerCase()
  return ipv4 === undefined ? `02:42:${endpointId.slice(0, 8).match(/../g)?.join(':') ?? ''}` : macOfIpv4(ipv4)
}

function parentsMac({ name }: Network, wanted: string | null | undefined): string {
  if (wanted === undefined || wanted === null || wanted === '') return ''
  throw networkError('network.unsupported', `network ${name}: ipvlan interfaces do not support custom mac address assignment`)
}

/** RFC 3927 and RFC 4291 section 2.5.6, with the lengths of prefix that belong to them. */
const LINK_LOCAL = { 4: { range: '169.254.0.0/16', prefixLength: 16 }, 6: { range: 'fe80::/10', prefixLength: 64 } } as const

function linkLocalAddress(address: string, containerName: string): string {
  const family = isIP(address) === 6 ? 6 : 4
  const { range, prefixLength } = LINK_LOCAL[family]
  const { value } = parseIp(address, `link-local address of ${containerName}`)
  if (!includes(parseCidr(range, 'range'), value))
    throw networkError('network.invalid', `invalid link local IP address ${address} of ${containerName}: it is not in ${range}`)
  return `${address}/${prefixLength}`
}

interface Choice {
  readonly family: 4 | 6
  readonly wanted: string | null | undefined
  readonly network: Network
  readonly others: readonly Endpoint[]
  readonly reserved: readonly Reservation[]
  readonly memory: AddressMemory
  readonly containerId: ContainerId
}

function chooseAddress(choice: Choice) {
  const { family, wanted, network, others, reserved } = choice
  const subnet = network.subnets.find((candidate) => candidate.family === family)
  const isWanted = wanted !== undefined && wanted !== null && wanted !== ''
  if (subnet === undefined) {
    if (isWanted)
      throw networkError('network.invalid', `network ${network.name} has no IPv${family}; address ${wanted} cannot be given`)
    return undefined
  }
  const given = others.map(({ ipAddress, ipv6Address }) => (family === 4 ? ipAddress : ipv6Address))
  const texts = [...given, ...reservedIn(family, reserved)]
  const used = new Set(texts.filter((text) => text !== '').map((text) => parseIp(text, 'address').value))
  const value = isWanted ? wantedAddress(subnet, wanted, used, network.name) : freeAddress(subnet, used, choice)
  return { subnet, value, text: formatIp(family, value), prefixLength: Number(subnet.subnet.split('/')[1]) }
}

function freeAddress(subnet: Subnet, used: ReadonlySet<bigint>, { memory, containerId, network }: Choice): bigint {
  const before = memory.recall(containerId, network.id, subnet.family)
  // The address right behind the one before it is that one, unless something is in the way.
  if (before !== undefined && nextAddress(subnet, used, before - 1n) === before) return before
  const value = nextAddress(subnet, used, memory.cursor(network.id, subnet.family))
  if (value !== undefined) return value
  throw networkError(
    'network.pool_exhausted',
    `no available IPv${subnet.family} addresses on network ${network.name}: ${used.size} are in use, none is left in ${subnet.ipRange ?? subnet.subnet}`,
    { hint: 'Create a network with a larger subnet (--subnet), or remove containers from this one.' },
  )
}
