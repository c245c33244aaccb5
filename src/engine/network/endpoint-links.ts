import { prepareIpv6 } from './bridges.ts'
import type { Context } from './context.ts'
import { sysctlPath } from './endpoint-options.ts'
import { changedRoutes } from './gateways.ts'
import { parentSettings } from './parent-options.ts'
import type { EndpointPlan } from './plan-endpoint.ts'
import type { Endpoint, Network } from './port.ts'
import type { Sandbox } from './state.ts'

/** The container's end of a network, configured and up, with the default routes that it brings. */
export function makeLink(
  context: Context,
  network: Network,
  mtu: number | undefined,
  sandbox: Sandbox,
  { endpoint, linkLocal, sysctls }: EndpointPlan,
): void {
  const { host } = context
  const netnsPin = context.pinOf(endpoint.containerId)
  const routes = changedRoutes(sandbox.endpoints, [...sandbox.endpoints, endpoint])
  const shared = {
    netnsPin,
    guestName: endpoint.guestLink,
    mac: endpoint.macAddress,
    addresses: [...addressesOf(endpoint), ...linkLocal],
    gateways: routes.flatMap(({ via }) => via ?? []),
  }
  prepareIpv6(host.kernel, 'default', network.hasIpv6, netnsPin)
  if (network.driver === 'macvlan' || network.driver === 'ipvlan') {
    const { parent, mode, flag, mtu: wantedMtu } = parentSettings(network.name, network.driver, network.options)
    host.links.attachShared({
      ...shared,
      parent,
      kind: network.driver,
      mode,
      flag,
      onLinkFamilies: routes.filter(({ via }) => via === undefined).map(({ family }) => family),
      ...(wantedMtu === undefined ? {} : { mtu: wantedMtu }),
    })
  } else {
    host.links.attachContainer({
      ...shared,
      bridge: network.bridge,
      hostName: endpoint.hostLink,
      mtu: mtu ?? ETHERNET_MTU,
      hairpin: true,
    })
  }
  try {
    for (const { name, value } of sysctls) host.kernel.writeSysctl(sysctlPath(name, endpoint.guestLink), value, netnsPin)
  } catch (error) {
    deleteLink(context, endpoint)
    throw error
  }
}

const ETHERNET_MTU = 1500

function addressesOf(endpoint: Endpoint): readonly string[] {
  return [
    ...(endpoint.ipAddress === '' ? [] : [`${endpoint.ipAddress}/${endpoint.ipPrefixLength}`]),
    ...(endpoint.ipv6Address === '' ? [] : [`${endpoint.ipv6Address}/${endpoint.ipv6PrefixLength}`]),
  ]
}

/** Gone when this returns. */
export function deleteLink({ host, pinOf }: Context, endpoint: Endpoint): void {
  if (endpoint.hostLink !== '') host.links.detachContainer(endpoint.hostLink)
  else if (host.namespaces.isPinned(pinOf(endpoint.containerId)))
    host.links.deleteLinkIn(pinOf(endpoint.containerId), endpoint.guestLink)
}

/** For a container that has ended: its addresses are free at once, the link itself goes with the namespace. */
export function retireLink({ host, pinOf }: Context, endpoint: Endpoint): void {
  if (endpoint.hostLink !== '') host.links.retireContainer(endpoint.hostLink)
  else if (host.namespaces.isPinned(pinOf(endpoint.containerId)))
    host.links.setDown(endpoint.guestLink, pinOf(endpoint.containerId))
}

/** After an endpoint came or went: sets the default routes that changed. */
export function settleRoutes(context: Context, containerId: Endpoint['containerId'], before: readonly Endpoint[]): void {
  const after = context.state.sandboxes.get(containerId)?.endpoints ?? []
  for (const { family, link, via } of changedRoutes(before, after))
    context.host.links.addRoute({
      destination: 'default',
      link,
      family,
      netnsPin: context.pinOf(containerId),
      ...(via === undefined ? {} : { via }),
    })
}
