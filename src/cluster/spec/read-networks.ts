import { isIP } from 'node:net'

import type { ReadContext } from './context.ts'
import { type Field, withoutNulls } from './fields.ts'
import type { AttachmentSpec, NetworkSpec, SubnetSpec } from './model.ts'
import { readExternal } from './read-secrets.ts'

const DRIVERS = ['bridge', 'macvlan', 'ipvlan'] as const

/** One of the top-level networks. What is absent in it is what the engine does by itself. */
export function readNetwork(key: string, network: Field, stackName: string): NetworkSpec {
  network.only([
    ...['name', 'external', 'driver', 'driver_opts', 'internal', 'labels', 'ipam', 'attachable', 'enable_ipv4', 'enable_ipv6'],
  ])
  const driver = network.child('driver')
  const name = driver.text()
  if (name !== null && !DRIVERS.some((known) => known === name))
    driver.refuse(`network driver ${JSON.stringify(name)} is not supported: use ${DRIVERS.join(', ')}`)
  const external = readExternal(network)
  const options = withoutNulls(network.child('driver_opts').pairs())
  return {
    key,
    name: external.name ?? (external.isExternal ? key : `${stackName}_${key}`),
    isExternal: external.isExternal,
    isInternal: network.child('internal').flag() ?? false,
    subnets: readIpam(network.child('ipam')),
    labels: withoutNulls(network.child('labels').pairs()),
    ...(name === null || name === 'bridge' ? {} : { driver: name }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...flagOf(network.child('enable_ipv4'), 'hasIpv4'),
    ...flagOf(network.child('enable_ipv6'), 'hasIpv6'),
    ...flagOf(network.child('attachable'), 'isAttachable'),
  }
}

function flagOf<K extends string>(field: Field, name: K): { readonly [P in K]?: boolean } {
  const value = field.flag()
  return value === null ? {} : ({ [name]: value } as { readonly [P in K]?: boolean })
}

function readIpam(ipam: Field): readonly SubnetSpec[] {
  ipam.only(['driver', 'config'])
  ipam.child('driver').oneOf(['default'])
  return ipam
    .child('config')
    .items()
    .flatMap((item) => {
      item.only(['subnet', 'gateway', 'ip_range', 'aux_addresses'])
      const subnet = item.child('subnet').text()
      const [ipRange, auxiliaryAddresses] = [item.child('ip_range').text(), withoutNulls(item.child('aux_addresses').pairs())]
      if (subnet === null) item.refuse('an entry of "ipam.config" needs a "subnet"')
      return subnet === null
        ? []
        : [
            {
              subnet,
              gateway: item.child('gateway').text(),
              ...(ipRange === null ? {} : { ipRange }),
              ...(Object.keys(auxiliaryAddresses).length === 0 ? {} : { auxiliaryAddresses }),
            },
          ]
    })
}

const ENDPOINT_FIELDS = [
  ...['aliases', 'ipv4_address', 'ipv6_address', 'mac_address', 'link_local_ips'],
  ...['driver_opts', 'priority', 'gw_priority'],
]

/** `networks` of a service, the one of highest priority first; `mac_address` of the service is that of its first network. */
export function readAttachments(service: Field, context: ReadContext): readonly AttachmentSpec[] {
  const networks = service.child('networks')
  const mac = readMac(service.child('mac_address'))
  const links = readExternalLinks(service.child('external_links'))
  const own = { ...(mac === null ? {} : { macAddress: mac }) }
  const linked = links.length === 0 ? {} : { links }
  if (!networks.isPresent) return [{ network: 'default', aliases: [], ...own, ...linked }]
  const named = networks.isList()
    ? networks.items().map((item) => [item.text() ?? '', null, item] as const)
    : networks.entries().map(([key, item]) => [key, item, item] as const)
  const read = named.flatMap(([network, options, place]) => {
    if (network !== 'default' && !context.networks.includes(network)) {
      place.refuse(`network "${network}" is not declared under the top-level "networks"`)
      return []
    }
    const priority = options?.child('priority').decimal() ?? 0
    return [{ priority, attachment: { network, aliases: [], ...(options === null ? {} : readEndpoint(options)), ...linked } }]
  })
  const ordered = read.toSorted((a, b) => b.priority - a.priority).map(({ attachment }) => attachment)
  return ordered.map((attachment, index) => (index === 0 ? { ...own, ...attachment } : attachment))
}

function readEndpoint(options: Field): Omit<AttachmentSpec, 'network'> {
  options.only(ENDPOINT_FIELDS, { interface_name: 'links are called by their driver and number' })
  const [ipv4Address, ipv6Address] = [
    readAddress(options.child('ipv4_address'), 4),
    readAddress(options.child('ipv6_address'), 6),
  ]
  const macAddress = readMac(options.child('mac_address'))
  const gatewayPriority = options.child('gw_priority').whole({ min: -1_000_000, max: 1_000_000 })
  const linkLocalAddresses = options.child('link_local_ips').texts()
  const driverOptions = withoutNulls(options.child('driver_opts').pairs())
  return {
    aliases: options.child('aliases').texts(),
    ...(ipv4Address === null ? {} : { ipv4Address }),
    ...(ipv6Address === null ? {} : { ipv6Address }),
    ...(macAddress === null ? {} : { macAddress }),
    ...(gatewayPriority === null ? {} : { gatewayPriority }),
    ...(linkLocalAddresses.length === 0 ? {} : { linkLocalAddresses }),
    ...(Object.keys(driverOptions).length === 0 ? {} : { driverOptions }),
  }
}

function readAddress(address: Field, family: 4 | 6): string | null {
  const text = address.text()
  if (text === null || isIP(text) === family) return text
  address.refuse(`${JSON.stringify(text)} is not an IPv${family} address`)
  return null
}

function readMac(mac: Field): string | null {
  const text = mac.text()
  if (text === null || /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return text
  mac.refuse(`"mac_address" must be six pairs of digits such as 02:42:ac:11:00:02, not ${JSON.stringify(text)}`)
  return null
}

/** `CONTAINER[:ALIAS]` of containers that are not of this stack. */
function readExternalLinks(links: Field): NonNullable<AttachmentSpec['links']> {
  return links.texts().map((text) => {
    const [container = '', alias] = text.split(':', 2)
    return { container, alias: alias ?? container }
  })
}
