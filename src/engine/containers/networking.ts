import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { shortId } from '#base'
import type { Endpoint } from '#engine/network'

import type { Context } from './context.ts'
import { containerError } from './errors.ts'
import { linkEnvironment, linkedContainers, linkedFrom, linkedHosts, requireLinked } from './container-links.ts'
import { homeOf } from './paths.ts'
import type { ContainerRecord, EndpointStatus, PublishedPort } from './record.ts'
import type { EndpointSpec } from './spec.ts'
import { giveToContainerRoot, letPass } from './user-namespace.ts'

/** What the process's network is: a namespace of its own, the host's, or another container's. */
export interface JoinedNetwork {
  /** null: the host's. */
  readonly namespacePath: string | null
  readonly hostname: string
  /** Directory with hosts, hostname and resolv.conf. */
  readonly filesDir: string
  readonly endpoints: Readonly<Record<string, EndpointStatus>>
  readonly ports: readonly PublishedPort[]
  /** Variables that tell of linked containers. */
  readonly env?: readonly string[]
}

/** Makes the container's network namespace, connects it and writes the files by which programs find names. */
export async function joinNetworks(
  context: Context,
  record: ContainerRecord,
  undo: AsyncDisposableStack,
): Promise<JoinedNetwork> {
  const { mode } = record.spec.network
  const hostname = hostnameOf(context, record)
  if (mode.startsWith('container:')) return shareNetwork(context, mode.slice('container:'.length))
  if (mode === 'host')
    return { namespacePath: null, hostname, filesDir: writeFiles(context, record, hostname), endpoints: {}, ports: [] }
  requireLinked(context, record)
  const namespacePath = context.networks.sandboxCreate(record.id, { nameServers: record.spec.network.dns })
  undo.defer(async () => await leaveNetworks(context, record))
  const endpoints: Record<string, EndpointStatus> = {}
  for (const [network, wanted] of Object.entries(record.spec.network.endpoints)) {
    const endpoint = await context.networks.attach(attachRequest(record, hostname, network, wanted))
    endpoints[endpoint.networkName] = endpointStatus(endpoint)
    publishEndpoint(context, record, endpoint, 'connect')
  }
  const ports = await publishPorts(context, record)
  for (const other of linkedFrom(context, record)) writeFiles(context, other, hostnameOf(context, other))
  return {
    namespacePath,
    hostname,
    filesDir: writeFiles(context, record, hostname),
    endpoints,
    ports,
    env: linkEnvironment(record, linkedContainers(context, record)),
  }
}

export function attachRequest(record: ContainerRecord, hostname: string, network: string, wanted: EndpointSpec) {
  const { mode, links: legacyLinks = [] } = record.spec.network
  return {
    containerId: record.id,
    containerName: record.name,
    hostname,
    network,
    ipv4Address: wanted.ipv4Address,
    ipv6Address: wanted.ipv6Address,
    macAddress: wanted.macAddress ?? record.spec.network.macAddress,
    aliases: wanted.aliases,
    links: [...(wanted.links ?? []), ...(network === mode ? legacyLinks : [])].map(({ container, alias }) => ({
      alias,
      target: container,
    })),
    gatewayPriority: wanted.gatewayPriority ?? 0,
    linkLocalAddresses: wanted.linkLocalAddresses ?? [],
    driverOptions: wanted.driverOptions ?? {},
  }
}

export function endpointStatus(endpoint: Endpoint): EndpointStatus {
  const {
    networkName: _network,
    containerId: _id,
    containerName: _name,
    hostLink: _host,
    guestLink: _guest,
    links: _links,
    gatewayPriority: _priority,
    isRoutedOnLink: _routed,
    ...status
  } = endpoint
  return status
}

export async function leaveNetworks(context: Context, record: ContainerRecord): Promise<void> {
  const endpoints = context.networks.endpointsOf(record.id)
  await context.networks.sandboxRemove(record.id)
  for (const endpoint of endpoints) publishEndpoint(context, record, endpoint, 'disconnect')
}

function publishEndpoint(context: Context, record: ContainerRecord, endpoint: Endpoint, action: 'connect' | 'disconnect'): void {
  const { networkId, networkName } = endpoint
  const type = context.networks.find(networkId)?.driver ?? ''
  context.events.publish({
    type: 'network',
    action,
    actorId: networkId,
    attributes: { container: record.id, name: networkName, type },
  })
}

export function hostnameOf(context: Context, record: ContainerRecord): string {
  if (record.spec.hostname !== '') return record.spec.hostname
  const isHosts = record.spec.network.mode === 'host' || record.spec.namespaces.uts === 'host'
  return isHosts ? context.host.kernel.facts().hostname : shortId(record.id)
}

function shareNetwork(context: Context, ref: string): JoinedNetwork {
  const other = context.registry.find(ref)
  if (other.process === null)
    throw containerError('container.not_running', `cannot join network of a non running container: ${other.record.id}`)
  return {
    namespacePath: `/proc/${other.process.pid}/ns/net`,
    hostname: hostnameOf(context, other.record),
    filesDir: homeOf(context, other.record.id),
    endpoints: {},
    ports: [],
  }
}

async function publishPorts(context: Context, record: ContainerRecord): Promise<readonly PublishedPort[]> {
  const { portBindings, publishAll } = record.spec.network
  const bound = new Set(portBindings.map((binding) => `${binding.containerPort}/${binding.protocol}`))
  const exposed = publishAll ? record.spec.exposedPorts.filter((port) => !bound.has(port)) : []
  const requests = [...portBindings, ...exposed.map(randomBinding)]
  return requests.length === 0 ? [] : await context.networks.publish(record.id, requests)
}

function randomBinding(port: string) {
  const [number, protocol] = port.split('/')
  return {
    containerPort: Number(number),
    protocol: (['udp', 'sctp'] as const).find((known) => known === protocol) ?? ('tcp' as const),
    hostIp: '',
    hostPort: null,
  }
}

/** Written in place: a container that runs has these very files mounted. */
export function writeFiles(context: Context, record: ContainerRecord, hostname: string): string {
  const { network } = record.spec
  const files = context.networks.identityFiles(record.id, {
    hostname,
    domainname: record.spec.domainname,
    nameServers: network.dns,
    searchDomains: network.dnsSearch,
    resolverOptions: network.dnsOptions,
    extraHosts: [...network.extraHosts, ...linkedHosts(linkedContainers(context, record))],
  })
  const dir = homeOf(context, record.id)
  writeFileSync(join(dir, 'hosts'), files.hosts)
  writeFileSync(join(dir, 'hostname'), files.hostname)
  writeFileSync(join(dir, 'resolv.conf'), files.resolvConf)
  letPass(context, record.spec, dir)
  giveToContainerRoot(context, record.spec, ...['hosts', 'hostname', 'resolv.conf'].map((name) => join(dir, name)))
  return dir
}
