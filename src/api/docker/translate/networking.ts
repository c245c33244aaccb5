import { isIP } from 'node:net'

import { messageOf } from '#base'

import type { ContainerLink, ContainerRecord, EndpointSpec, NetworkingSpec } from '#engine/containers'

import { dockerError } from '../errors.ts'
import { portBindings } from './ports.ts'
import type { Reader } from './read.ts'

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i
const HOST_NAME = /^[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?$/

/** Several networks in one create request came with 1.44. */
const FIRST_MINOR_WITH_SEVERAL_NETWORKS = 44

/** Errors: `docker.field_invalid`, `docker.option_conflict`. */
export function networkingSpec(
  body: Reader,
  hostConfig: Reader,
  minor: number,
  containerOf: (ref: string) => ContainerRecord,
): NetworkingSpec {
  const mode = networkMode(body, hostConfig, containerOf)
  const mac = macAddress(body.text('MacAddress'))
  const spec: NetworkingSpec = {
    mode,
    endpoints: endpointSpecs(body, mode, mac, minor),
    portBindings: portBindings(hostConfig),
    publishAll: hostConfig.bool('PublishAllPorts'),
    macAddress: mac,
    dns: hostConfig.texts('Dns', []).map(dnsServer),
    dnsSearch: hostConfig.texts('DnsSearch', []),
    dnsOptions: hostConfig.texts('DnsOptions', []),
    extraHosts: hostConfig.texts('ExtraHosts', []).map(extraHost),
    ...linksOf(hostConfig, mode, containerOf),
  }
  if (mode === 'host' || mode.startsWith('container:')) refuseForSharedNetwork(spec, body)
  return mode === 'host' ? { ...spec, portBindings: [], publishAll: false } : spec
}

/** What the user should know and need not act on. */
export function networkingWarnings(hostConfig: Reader, mode: string): readonly string[] {
  const isDiscarded = mode === 'host' && (portBindings(hostConfig).length > 0 || hostConfig.bool('PublishAllPorts'))
  return isDiscarded ? ['Published ports are discarded when using host network mode'] : []
}

/** The name of the network or namespace; `default` is `bridge`, and a container is named by its full id. */
function networkMode(body: Reader, hostConfig: Reader, containerOf: (ref: string) => ContainerRecord): string {
  if (body.bool('NetworkDisabled')) return 'none'
  const mode = realName(hostConfig.text('NetworkMode'))
  if (!mode.startsWith('container:')) return mode
  return `container:${containerOf(mode.slice('container:'.length)).id}`
}

function realName(name: string): string {
  return name === '' || name === 'default' ? 'bridge' : name
}

function endpointSpecs(body: Reader, mode: string, mac: string | null, minor: number): Readonly<Record<string, EndpointSpec>> {
  const asked = body.inner('NetworkingConfig').map('EndpointsConfig')
  const isOwnNamespace = mode !== 'none' && mode !== 'host' && !mode.startsWith('container:')
  const names = asked.map(([name]) => name)
  if (names.length > 1 && minor < FIRST_MINOR_WITH_SEVERAL_NETWORKS)
    throw dockerError('docker.field_invalid', `Container cannot be connected to network endpoints: ${names.join(', ')}`)
  const endpoints = new Map<string, EndpointSpec>(isOwnNamespace ? [[mode, { ...emptyEndpoint(), macAddress: mac }]] : [])
  for (const [name, reader] of asked) {
    const spec = endpointSpec(reader)
    if (!isOwnNamespace) {
      if (realName(name) === mode) continue
      throw dockerError(
        'docker.option_conflict',
        `conflicting options: cannot attach both user-defined and non-user-defined network-modes`,
      )
    }
    const isMain = realName(name) === mode
    if (realName(name) === 'bridge') refuseOnDefault(spec)
    if (isMain && mac !== null && spec.macAddress !== null && spec.macAddress !== mac)
      throw dockerError(
        'docker.option_conflict',
        'conflicting MAC addresses: the container-wide MAC address must match the endpoint-specific MAC address',
      )
    endpoints.set(realName(name), { ...spec, macAddress: spec.macAddress ?? (isMain ? mac : null) })
  }
  return Object.fromEntries(endpoints)
}

/** What the default network has no name service for, and cannot promise as its subnet is chosen by us. With dockerd's texts. */
function refuseOnDefault({ aliases, ipv4Address, ipv6Address }: EndpointSpec): void {
  if (aliases.length > 0)
    throw dockerError('docker.field_invalid', 'network-scoped alias is supported only for containers in user defined networks')
  if (ipv4Address !== null || ipv6Address !== null)
    throw dockerError('docker.field_invalid', 'user specified IP address is supported on user defined networks only')
}

export function emptyEndpoint(): EndpointSpec {
  return { aliases: [], ipv4Address: null, ipv6Address: null, macAddress: null }
}

/** EndpointSettings, as create and network connect take them. Errors: `docker.field_invalid`. */
export function endpointSpec(settings: Reader): EndpointSpec {
  const ipam = settings.inner('IPAMConfig')
  return {
    aliases: settings.texts('Aliases', []),
    ipv4Address: address(ipam.text('IPv4Address'), 4),
    ipv6Address: address(ipam.text('IPv6Address'), 6),
    macAddress: macAddress(settings.text('MacAddress')),
    ...endpointExtras(settings, ipam),
  }
}

/** What few endpoints have; absent otherwise. */
function endpointExtras(settings: Reader, ipam: Reader): Partial<EndpointSpec> {
  const links = settings.texts('Links', []).map(containerLink)
  const gatewayPriority = settings.int('GwPriority') ?? 0
  const linkLocalAddresses = ipam.texts('LinkLocalIPs', [])
  const driverOptions = settings.textMap('DriverOpts')
  const invalid = linkLocalAddresses.find((text) => isIP(text) === 0)
  if (invalid !== undefined) throw dockerError('docker.field_invalid', `invalid link-local IP address: ${invalid}`)
  return {
    ...(links.length === 0 ? {} : { links }),
    ...(gatewayPriority === 0 ? {} : { gatewayPriority }),
    ...(linkLocalAddresses.length === 0 ? {} : { linkLocalAddresses }),
    ...(Object.keys(driverOptions).length === 0 ? {} : { driverOptions }),
  }
}

/** `container` or `container:alias`. */
function containerLink(text: string): ContainerLink {
  const [container = '', alias = container, ...rest] = text.replace(/^\//, '').split(':')
  if (container === '' || !HOST_NAME.test(alias) || rest.length > 0)
    throw dockerError('docker.field_invalid', `bad format for links: ${text}`)
  return { container, alias }
}

/** HostConfig.Links is for the default network; others carry theirs in the endpoint, and are given to it here should a client not know. */
function linksOf(hostConfig: Reader, mode: string, containerOf: (ref: string) => ContainerRecord): Partial<NetworkingSpec> {
  const links = hostConfig.texts('Links', []).map(containerLink)
  if (links.length === 0) return {}
  if (mode === 'host')
    throw dockerError(
      'docker.option_conflict',
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    )
  if (mode.startsWith('container:'))
    throw dockerError(
      'docker.option_conflict',
      "conflicting options: container type network can't be used with links. This would result in undefined behavior",
    )
  for (const { container } of links) {
    try {
      containerOf(container)
    } catch (error) {
      // Not "not found": clients would take it for the image, and pull that.
      throw dockerError('docker.field_invalid', `could not get container for ${container}: ${messageOf(error)}`, { cause: error })
    }
  }
  return { links }
}

function address(text: string, family: 4 | 6): string | null {
  if (text === '') return null
  if (isIP(text) !== family) throw dockerError('docker.field_invalid', `invalid IPv${family} address: ${text}`)
  return text
}

function macAddress(text: string): string | null {
  if (text === '') return null
  if (!MAC.test(text)) throw dockerError('docker.field_invalid', `invalid MAC address: ${text}`)
  return text.toLowerCase()
}

function dnsServer(text: string): string {
  if (isIP(text) === 0) throw dockerError('docker.field_invalid', `invalid IP address: ${text} (in HostConfig.Dns)`)
  return text
}

/** `name:ip`, or `name=ip` for addresses that hold colons. `host-gateway` stands for the bridge's address. */
function extraHost(text: string): string {
  const mark = text.search(/[=:]/)
  const name = text.slice(0, Math.max(mark, 0))
  const ip = text.slice(mark + 1).replace(/^\[(.*)\]$/, '$1')
  if (!HOST_NAME.test(name) || (ip !== 'host-gateway' && isIP(ip) === 0))
    throw dockerError('docker.field_invalid', `bad format for add-host: ${JSON.stringify(text)}`)
  return `${name}:${ip}`
}

/** A container that lives in another's network cannot have its own. With dockerd's texts. */
function refuseForSharedNetwork(spec: NetworkingSpec, body: Reader): void {
  const isContainer = spec.mode.startsWith('container:')
  const clashes: readonly (readonly [boolean, string])[] = [
    [isContainer && body.text('Hostname') !== '', 'hostname and the network mode'],
    [isContainer && spec.dns.length > 0, 'dns and the network mode'],
    [isContainer && spec.extraHosts.length > 0, 'custom host-to-IP mapping and the network mode'],
    [spec.macAddress !== null, 'mac-address and the network mode'],
    [isContainer && (spec.portBindings.length > 0 || spec.publishAll), 'port publishing and the container type network mode'],
    [isContainer && body.keys('ExposedPorts').length > 0, 'port exposing and the container type network mode'],
  ]
  for (const [isClash, what] of clashes) if (isClash) throw dockerError('docker.option_conflict', `conflicting options: ${what}`)
}
