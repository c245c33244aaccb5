import type { ContainerRecord, EndpointSpec, EndpointStatus, PublishedPort } from '#engine/containers'

/** `DNSNames` came with 1.44; with 1.45 the short id, which is among them, went from the aliases. */
const FIRST_MINOR_WITH_DNS_NAMES = 44
const LAST_MINOR_WITH_ID_ALIAS = 44

/** Networks that give names to nobody. */
const NAMELESS: readonly string[] = ['bridge', 'host', 'none']

/** EndpointSettings by network name: what the network gave, with what was asked of it. */
export function endpointSettings(record: ContainerRecord, minor: number) {
  const { spec, status } = record
  const names = [...new Set([...Object.keys(spec.network.endpoints), ...Object.keys(status.endpoints)])]
  const own = names.map((name) => {
    const settings = settingsOf(spec.network.endpoints[name], status.endpoints[name], minor)
    const hasIdAlias = minor <= LAST_MINOR_WITH_ID_ALIAS && !NAMELESS.includes(name)
    return [name, hasIdAlias ? { ...settings, Aliases: withId(settings.Aliases, record.id) } : settings] as const
  })
  const { mode } = spec.network
  const isBare = own.length === 0 && (mode === 'none' || mode === 'host')
  return Object.fromEntries(isBare ? [[mode, settingsOf(undefined, undefined, minor)] as const] : own)
}

function withId(aliases: readonly string[] | null, id: string): readonly string[] {
  return [...new Set([...(aliases ?? []), id.slice(0, 12)])]
}

function settingsOf(asked: EndpointSpec | undefined, given: EndpointStatus | undefined, minor: number) {
  const ipam = {
    ...(asked?.ipv4Address ? { IPv4Address: asked.ipv4Address } : {}),
    ...(asked?.ipv6Address ? { IPv6Address: asked.ipv6Address } : {}),
    ...(asked?.linkLocalAddresses === undefined ? {} : { LinkLocalIPs: asked.linkLocalAddresses }),
  }
  const aliases = given?.aliases ?? asked?.aliases ?? []
  return {
    IPAMConfig: Object.keys(ipam).length > 0 ? ipam : null,
    Links: asked?.links?.map(({ container, alias }) => `${container}:${alias}`) ?? null,
    Aliases: aliases.length === 0 ? null : aliases,
    MacAddress: given?.macAddress ?? asked?.macAddress ?? '',
    DriverOpts: asked?.driverOptions ?? null,
    ...(minor >= 48 ? { GwPriority: asked?.gatewayPriority ?? 0 } : {}),
    NetworkID: given?.networkId ?? '',
    EndpointID: given?.endpointId ?? '',
    Gateway: given?.gateway ?? '',
    IPAddress: given?.ipAddress ?? '',
    IPPrefixLen: given?.ipPrefixLength ?? 0,
    IPv6Gateway: given?.ipv6Gateway ?? '',
    GlobalIPv6Address: given?.ipv6Address ?? '',
    GlobalIPv6PrefixLen: given?.ipv6PrefixLength ?? 0,
    ...(minor >= FIRST_MINOR_WITH_DNS_NAMES
      ? { DNSNames: given === undefined || given.dnsNames.length === 0 ? null : given.dnsNames }
      : {}),
  }
}

/** PortMap of inspect: published ports with their bindings, exposed ones with null. */
export function portMap(record: ContainerRecord) {
  const isLive = record.status.state === 'running' || record.status.state === 'paused'
  if (!isLive) return {}
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {}
  for (const port of record.spec.exposedPorts) map[port] = null
  for (const port of record.status.ports) (map[`${port.containerPort}/${port.protocol}`] ??= []).push(binding(port))
  return map
}

function binding(port: PublishedPort) {
  return { HostIp: port.hostIp === '' ? '0.0.0.0' : port.hostIp, HostPort: String(port.hostPort) }
}

/** Ports of a list item: one entry a binding, and one for each port that is only exposed. */
export function portList(record: ContainerRecord) {
  const isLive = record.status.state === 'running' || record.status.state === 'paused'
  if (!isLive) return []
  const published = record.status.ports.map((port) => ({
    IP: port.hostIp === '' ? '0.0.0.0' : port.hostIp,
    PrivatePort: port.containerPort,
    PublicPort: port.hostPort,
    Type: port.protocol,
  }))
  const known = new Set(published.map((port) => `${port.PrivatePort}/${port.Type}`))
  const exposed = record.spec.exposedPorts
    .filter((port) => !known.has(port))
    .map((port) => ({ PrivatePort: Number.parseInt(port, 10), Type: port.split('/')[1] ?? 'tcp' }))
  return [...published, ...exposed]
}
