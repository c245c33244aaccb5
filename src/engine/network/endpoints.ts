import { during, invariant, newId, shortId } from '#base'
import type { ContainerId, EndpointId } from '#base'

import { macOfIpv4, nextAddress, wantedAddress } from './address-pool.ts'
import { prepareIpv6 } from './bridges.ts'
import { formatIp, parseIp } from './cidr.ts'
import type { Context } from './context.ts'
import { networkError } from './errors.ts'
import { bridgeSettings } from './options.ts'
import type { AttachRequest, Endpoint, Network, Subnet } from './port.ts'
import type { Sandbox } from './state.ts'

/** Remembers who had which address, so that a container that comes back finds its old one if nobody took it. */
export interface AddressMemory {
  recall(containerId: ContainerId, networkId: string, family: 4 | 6): bigint | undefined
  remember(containerId: ContainerId, endpoint: Endpoint): void
  /** The address that was given out last. */
  cursor(networkId: string, family: 4 | 6): bigint | undefined
}

/** Entries beyond this are forgotten, oldest first: it is only a courtesy. */
const MAX_REMEMBERED = 8192

export function addressMemory(): AddressMemory {
  const last = new Map<string, bigint>()
  const cursors = new Map<string, bigint>()
  const remember = (key: string, text: string, cursorKey: string) => {
    if (text === '') return
    const { value } = parseIp(text, 'address')
    last.delete(key)
    last.set(key, value)
    const [oldest] = last.keys()
    if (last.size > MAX_REMEMBERED && oldest !== undefined) last.delete(oldest)
    cursors.set(cursorKey, value)
  }
  return {
    recall: (containerId, networkId, family) => last.get(`${containerId} ${networkId} ${family}`),
    remember: (containerId, { networkId, ipAddress, ipv6Address }) => {
      remember(`${containerId} ${networkId} 4`, ipAddress, `${networkId} 4`)
      remember(`${containerId} ${networkId} 6`, ipv6Address, `${networkId} 6`)
    },
    cursor: (networkId, family) => cursors.get(`${networkId} ${family}`),
  }
}

/** All but the firewall is done within one tick, so that two containers never get the same address. */
export async function attachEndpoint(context: Context, memory: AddressMemory, request: AttachRequest): Promise<Endpoint> {
  const known = context.state.get(request.network)
  if (known.driver !== 'bridge')
    throw networkError(
      'network.invalid',
      `attach ${request.containerName} to ${known.name}: containers cannot join this network while they run`,
    )
  const sandbox = context.state.sandbox(request.containerId)
  if (sandbox.endpoints.some(({ networkId }) => networkId === known.id))
    throw networkError(
      'network.already_attached',
      `container ${request.containerName} is attached to network ${known.name} already`,
    )
  const { network, mtu, rules } = context.bridges.ensure(known)
  // Whatever happens to us, the promise must not be left without somebody who listens.
  rules.catch(() => undefined)
  const endpoint = planEndpoint(context, memory, network, sandbox, request)
  const isGateway = sandbox.gatewayEndpointId === '' && !network.isInternal
  prepareIpv6(context.host.kernel, 'default', network.hasIpv6, context.pinOf(request.containerId))
  context.host.links.attachContainer({
    netnsPin: context.pinOf(request.containerId),
    bridge: network.bridge,
    hostName: endpoint.hostLink,
    guestName: endpoint.guestLink,
    mac: endpoint.macAddress,
    addresses: addressesOf(endpoint),
    gateways: isGateway ? gatewaysOf(endpoint) : [],
    mtu,
    hairpin: true,
  })
  try {
    context.state.saveSandbox({
      ...sandbox,
      endpoints: [...sandbox.endpoints, endpoint],
      gatewayEndpointId: isGateway ? endpoint.endpointId : sandbox.gatewayEndpointId,
    })
    memory.remember(request.containerId, endpoint)
    context.nameService.ensure(context.state.sandbox(request.containerId))
    await rules
    return endpoint
  } catch (error) {
    await detachEndpoint(context, request.containerId, endpoint)
    throw during(`attach ${request.containerName} to network ${network.name}`, error)
  }
}

function planEndpoint(
  context: Context,
  memory: AddressMemory,
  network: Network,
  sandbox: Sandbox,
  request: AttachRequest,
): Endpoint {
  const { containerId, containerName, hostname, aliases = [], macAddress } = request
  const others = context.state.endpoints(network.id)
  const choose = (family: 4 | 6, wanted: string | null | undefined) => {
    const subnet = network.subnets.find((candidate) => candidate.family === family)
    const isWanted = wanted !== undefined && wanted !== null && wanted !== ''
    if (subnet === undefined) {
      if (isWanted)
        throw networkError('network.invalid', `network ${network.name} has no IPv${family}; address ${wanted} cannot be given`)
      return undefined
    }
    const texts = others.map(({ ipAddress, ipv6Address }) => (family === 4 ? ipAddress : ipv6Address))
    const used = new Set(texts.filter((text) => text !== '').map((text) => parseIp(text, 'address').value))
    const value = isWanted
      ? wantedAddress(subnet, wanted, used, network.name)
      : freeAddress(subnet, used, memory, containerId, network)
    return { subnet, value, text: formatIp(family, value), prefixLength: Number(subnet.subnet.split('/')[1]) }
  }
  const v4 = choose(4, request.ipv4Address)
  const v6 = choose(6, request.ipv6Address)
  const endpointId = newId<EndpointId>(context.random)
  const { guestPrefix } = bridgeSettings(network.name, network.options)
  const taken = new Set(sandbox.endpoints.map(({ guestLink }) => guestLink))
  const guestLink = Array.from({ length: taken.size + 1 }, (_, at) => `${guestPrefix}${at}`).find((name) => !taken.has(name))
  invariant(guestLink !== undefined, 'one of n + 1 names is not among n')
  const dnsNames = network.isPredefined
    ? []
    : [
        ...new Set([
          containerName,
          ...aliases,
          shortId(containerId),
          ...(hostname === undefined || hostname === '' ? [] : [hostname]),
        ]),
      ]
  return {
    networkId: network.id,
    networkName: network.name,
    endpointId,
    containerId,
    containerName,
    gateway: network.isInternal ? '' : (v4?.subnet.gateway ?? ''),
    ipAddress: v4?.text ?? '',
    ipPrefixLength: v4?.prefixLength ?? 0,
    ipv6Gateway: network.isInternal ? '' : (v6?.subnet.gateway ?? ''),
    ipv6Address: v6?.text ?? '',
    ipv6PrefixLength: v6?.prefixLength ?? 0,
    macAddress:
      macAddress === undefined || macAddress === null || macAddress === ''
        ? macFor(v4?.value, endpointId)
        : macAddress.toLowerCase(),
    aliases,
    dnsNames,
    hostLink: context.names.hostLink(endpointId),
    guestLink,
  }
}

function macFor(ipv4: bigint | undefined, endpointId: string): string {
  return ipv4 === undefined ? `02:42:${endpointId.slice(0, 8).match(/../g)?.join(':') ?? ''}` : macOfIpv4(ipv4)
}

function freeAddress(
  subnet: Subnet,
  used: ReadonlySet<bigint>,
  memory: AddressMemory,
  containerId: ContainerId,
  network: Network,
): bigint {
  const before = memory.recall(containerId, network.id, subnet.family)
  if (before !== undefined && isFree(subnet, before, used)) return before
  const value = nextAddress(subnet, used, memory.cursor(network.id, subnet.family))
  if (value !== undefined) return value
  throw networkError(
    'network.pool_exhausted',
    `network ${network.name}: no address is left in ${subnet.ipRange ?? subnet.subnet} (${used.size} in use)`,
    {
      hint: 'Create a network with a larger subnet (--subnet), or remove containers from this one.',
    },
  )
}

function isFree(subnet: Subnet, value: bigint, used: ReadonlySet<bigint>): boolean {
  // The address right behind the one before it is that one, unless something is in the way.
  return nextAddress(subnet, used, value - 1n) === value
}

function addressesOf(endpoint: Endpoint): readonly string[] {
  return [
    ...(endpoint.ipAddress === '' ? [] : [`${endpoint.ipAddress}/${endpoint.ipPrefixLength}`]),
    ...(endpoint.ipv6Address === '' ? [] : [`${endpoint.ipv6Address}/${endpoint.ipv6PrefixLength}`]),
  ]
}

function gatewaysOf({ gateway, ipv6Gateway }: Endpoint): readonly string[] {
  return [gateway, ipv6Gateway].filter((address) => address !== '')
}

/** Takes an endpoint out of a running sandbox. Its published ports go with it, and another network takes over the default route. */
export async function detachEndpoint(context: Context, containerId: ContainerId, endpoint: Endpoint): Promise<void> {
  const { state, host, firewall, holders } = context
  host.links.detachContainer(endpoint.hostLink)
  const sandbox = state.sandboxes.get(containerId)
  if (sandbox === undefined) return
  const own = new Set([endpoint.ipAddress, endpoint.ipv6Address].filter(Boolean))
  const gone = sandbox.ports.filter(({ containerIp }) => own.has(containerIp))
  const endpoints = sandbox.endpoints.filter(({ endpointId }) => endpointId !== endpoint.endpointId)
  const isGateway = sandbox.gatewayEndpointId === endpoint.endpointId
  const heir = isGateway ? endpoints.find((one) => gatewaysOf(one).length > 0) : undefined
  state.saveSandbox({
    ...sandbox,
    endpoints,
    ports: sandbox.ports.filter((port) => !gone.includes(port)),
    gatewayEndpointId: isGateway ? (heir?.endpointId ?? '') : sandbox.gatewayEndpointId,
  })
  if (gone.length > 0) {
    firewall.removePorts(gone)
    holders.release(containerId)
  }
  if (heir === undefined) return
  for (const via of gatewaysOf(heir))
    host.links.addRoute({ destination: 'default', via, link: heir.guestLink, netnsPin: context.pinOf(containerId) })
  await Promise.resolve()
}
