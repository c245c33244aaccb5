import { during } from '#base'
import type { Log, NetworkId } from '#base'
import type { Host } from '#host'

import { macOfIpv4, planSubnets } from './address-pool.ts'
import type { DefaultPool } from './address-pool.ts'
import { overlaps, parseCidr, parseIp } from './cidr.ts'
import type { Cidr } from './cidr.ts'
import { networkError } from './errors.ts'
import type { Firewall } from './firewall.ts'
import type { InstanceNames } from './names.ts'
import type { BridgeRules } from './nft-plan.ts'
import { bridgeSettings } from './options.ts'
import type { Network } from './port.ts'
import { hostAddresses } from './reservations.ts'
import type { Reservations } from './reservations.ts'
import type { NetworkState } from './state.ts'

/** Bridges come with the first container and stay until their network goes: a daemon that starts makes no links. */
export interface Bridges {
  /** The link is there when this returns; the rules of the firewall once the promise settles. The network may have got another subnet. */
  ensure(network: Network): { readonly network: Network; readonly mtu: number; readonly rules: Promise<void> }
  remove(network: Network): Promise<void>
  /** Subnets that a new network must keep clear of; one that shares the host's wire only of our other networks. */
  taken(options?: { readonly isOnWire: boolean }): readonly { readonly cidr: Cidr; readonly owner: string }[]
}

export interface BridgesNeeds {
  readonly host: Pick<Host, 'links' | 'kernel'>
  readonly names: InstanceNames
  readonly state: NetworkState
  readonly firewall: Firewall
  readonly reservations: Pick<Reservations, 'of'>
  readonly log: Log
  readonly pools: { readonly 4: readonly DefaultPool[]; readonly 6: readonly DefaultPool[] }
}

/** Of Ethernet, for a machine without any way out. */
const FALLBACK_MTU = 1500

export function createBridges({ host, names, state, firewall, reservations, log, pools }: BridgesNeeds): Bridges {
  /** Networks whose bridge this process has seen to, with the MTU. */
  const ready = new Map<NetworkId, number>()
  const ownBridges = () => new Set([...state.networks.values()].map(({ bridge }) => bridge).filter(Boolean))
  const takenByHost = () => hostSubnets(host.links, ownBridges(), names)
  const takenByNetworks = (except?: NetworkId) =>
    [...state.networks.values()]
      .filter(({ id }) => id !== except)
      .flatMap(({ name, subnets }) =>
        subnets.map(({ subnet }) => ({ cidr: parseCidr(subnet, 'subnet'), owner: `network ${name}` })),
      )

  /** Somebody may have taken the subnet while the bridge did not exist. */
  const withClearSubnets = (network: Network): Network => {
    const others = takenByHost()
    const clash = network.subnets
      .map(({ subnet }) => others.find(({ cidr }) => overlaps(cidr, parseCidr(subnet, 'subnet'))))
      .find((other) => other !== undefined)
    if (clash === undefined) return network
    if (!network.subnets.every(({ isAutomatic }) => isAutomatic))
      throw networkError(
        'network.subnet_in_use',
        `network ${network.name}: its subnet ${network.subnets.map(({ subnet }) => subnet).join(', ')} now belongs to ${clash.owner}`,
        {
          hint: 'Remove the network and create it with another subnet.',
        },
      )
    const taken = [...others, ...takenByNetworks(network.id)]
    const subnets = planSubnets({
      networkName: network.name,
      specs: [],
      hasIpv4: network.hasIpv4,
      hasIpv6: network.hasIpv6,
      pools,
      taken,
    })
    const moved = { ...network, subnets }
    state.saveNetwork(moved)
    log.info('the subnet of a network was taken meanwhile; it has another one now', {
      network: network.name,
      subnets: subnets.map(({ subnet }) => subnet).join(' '),
    })
    return moved
  }

  /** Not that of an existing bridge: the kernel sets one without ports back to 1500. */
  const mtuOf = (network: Network) =>
    bridgeSettings(network.name, network.options).mtu ?? host.links.uplink()?.mtu ?? FALLBACK_MTU

  const build = (known: Network): { network: Network; mtu: number } => {
    const existing = host.links.listLinks().find(({ name }) => name === known.bridge)
    if (existing !== undefined) {
      // A daemon that was killed between the two steps left a bridge without an address.
      for (const address of addressesOf(known)) host.links.addAddress(known.bridge, address)
      prepare(known)
      return { network: known, mtu: mtuOf(known) }
    }
    const network = withClearSubnets(known)
    const mtu = mtuOf(network)
    const gateway = network.subnets.find(({ family }) => family === 4)?.gateway
    host.links.createBridge({
      name: network.bridge,
      mtu,
      addresses: addressesOf(network),
      ...(gateway === undefined ? {} : { mac: macOfIpv4(parseIp(gateway, 'gateway').value) }),
    })
    prepare(network)
    return { network, mtu }
  }
  const prepare = (network: Network) => {
    if (network.hasIpv4) host.kernel.setRouteLocalnet(network.bridge, true)
    prepareIpv6(host.kernel, network.bridge, network.hasIpv6)
    if (!network.isInternal) turnForwardingOn(host, network)
    host.links.filterBridged(network.bridge)
    for (const address of reservations.of(network.id).flatMap(hostAddresses)) host.links.addAddress(network.bridge, address)
  }
  return {
    ensure: (network) => {
      const mtu = ready.get(network.id)
      if (mtu !== undefined) return { network, mtu, rules: Promise.resolve() }
      try {
        const built = build(network)
        ready.set(network.id, built.mtu)
        const rules = Promise.all([
          firewall.setBridge(rulesOf(built.network)),
          network.isInternal ? undefined : firewall.openForward(),
        ])
        return {
          ...built,
          rules: rules.then(
            () => undefined,
            (error: unknown) => {
              ready.delete(network.id)
              throw during(`firewall of network ${network.name}`, error)
            },
          ),
        }
      } catch (error) {
        throw during(`bridge ${network.bridge} of network ${network.name}`, error)
      }
    },
    remove: async (network) => {
      ready.delete(network.id)
      if (network.bridge === '') return
      host.links.deleteLink(network.bridge)
      await firewall.removeBridge(network.bridge)
    },
    taken: ({ isOnWire } = { isOnWire: false }) => [...takenByNetworks(), ...(isOnWire ? [] : takenByHost())],
  }
}

/** Subnets that the host itself has or routes to, but through bridges of ours. Default routes do not count. */
function hostSubnets(
  links: Host['links'],
  ownBridges: ReadonlySet<string>,
  names: InstanceNames,
): readonly { cidr: Cidr; owner: string }[] {
  const nameOf = new Map(links.listLinks().map(({ index, name }) => [index, name]))
  const isOurs = (index: number | undefined) => {
    const name = index === undefined ? undefined : nameOf.get(index)
    return name !== undefined && (ownBridges.has(name) || name.startsWith(names.bridgePrefix))
  }
  const ownerOf = (index: number | undefined) =>
    `link ${(index === undefined ? undefined : nameOf.get(index)) ?? 'unknown'} of this host`
  const routes = links.listRoutes().filter(({ destination, linkIndex }) => !destination.endsWith('/0') && !isOurs(linkIndex))
  const addresses = links.listAddresses().filter(({ linkIndex }) => !isOurs(linkIndex))
  return [
    ...routes.map(({ destination, linkIndex }) => ({ cidr: parseCidr(destination, 'route'), owner: ownerOf(linkIndex) })),
    ...addresses.map(({ address, linkIndex }) => ({ cidr: parseCidr(address, 'address'), owner: ownerOf(linkIndex) })),
  ]
}

/**
 * Without IPv6 on its network a link shall not have any, link-local neither. With it there is no waiting for duplicates: until that is over
 * (1-2 s) neighbours cannot be found, and our pool gives no address twice. `link` may be `default`: then the next link of the namespace.
 */
export function prepareIpv6(kernel: Host['kernel'], link: string, isOn: boolean, netnsPin?: string): void {
  const conf = `net/ipv6/conf/${link}`
  // A kernel without IPv6 has no such file.
  if (kernel.readSysctl(`${conf}/disable_ipv6`, netnsPin) === undefined) return
  kernel.writeSysctl(`${conf}/disable_ipv6`, isOn ? '0' : '1', netnsPin)
  if (isOn) kernel.writeSysctl(`${conf}/accept_dad`, '0', netnsPin)
}

function turnForwardingOn({ kernel, links }: Pick<Host, 'kernel' | 'links'>, network: Network): void {
  const now = kernel.getIpForward()
  if (network.hasIpv4 && !now.ipv4) kernel.setIpForward(4, true)
  if (!network.hasIpv6 || now.ipv6) return
  // A host that forwards no longer listens to router advertisements, and would lose its own default route, unless told to.
  const uplink = links.uplink()
  const acceptRa = uplink === undefined ? undefined : `net/ipv6/conf/${uplink.name}/accept_ra`
  if (acceptRa !== undefined && kernel.readSysctl(acceptRa) === '1') kernel.writeSysctl(acceptRa, '2')
  kernel.setIpForward(6, true)
}

function addressesOf(network: Network): readonly string[] {
  return network.subnets.map(({ gateway, subnet }) => `${gateway}/${subnet.split('/')[1] ?? ''}`)
}

function rulesOf(network: Network): BridgeRules {
  const { hasInterContainer, hasMasquerade } = bridgeSettings(network.name, network.options)
  return {
    bridge: network.bridge,
    subnets: network.subnets.map(({ family, subnet }) => ({ family, subnet })),
    isInternal: network.isInternal,
    hasInterContainer,
    hasMasquerade,
  }
}
