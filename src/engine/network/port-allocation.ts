import { isIP } from 'node:net'

import { networkError } from './errors.ts'
import type { PortRequest, PublishedPort } from './port.ts'

/** Somebody else's published port. */
export interface HeldPort extends PublishedPort {
  readonly containerName: string
}

/** One port to be taken on all of these addresses: the candidates in the order to try them, or undefined for any free one. */
export interface PortDemand {
  readonly hostIps: readonly string[]
  readonly protocol: PublishedPort['protocol']
  readonly containerPort: number
  readonly candidates: readonly number[] | undefined
}

/** A range of more ports than this is a mistake, and trying each would hold up the daemon. */
const MAX_RANGE = 1024

/**
 * Turns requests into demands: no address means every address of each family that the container has. Ports that this very container or
 * another one of ours holds are dropped from the candidates, and if none remains the conflict says who has them.
 */
export function planPorts(
  requests: readonly PortRequest[],
  options: {
    readonly containerName: string
    readonly held: readonly HeldPort[]
    readonly families: readonly (4 | 6)[]
    /** Stands in for an empty address, from the network's options. */
    readonly defaultHostIp: string
  },
): readonly PortDemand[] {
  const planned: HeldPort[] = []
  return requests.map((request) => {
    checkRequest(request, options.containerName)
    const { containerPort, protocol } = request
    const hostIps = addressesOf(request, options)
    const demand = { hostIps, protocol, containerPort }
    if (request.hostPort === null) return { ...demand, candidates: undefined }
    const all = rangeOf(request.hostPort)
    const held = [...options.held, ...planned]
    const isFree = (port: number) => hostIps.every((hostIp) => holderOf(held, hostIp, port, protocol) === undefined)
    const candidates = all.filter(isFree)
    if (candidates.length === 0) throw conflict(request, hostIps, held, all)
    // Several requests may share a range; a single port that two of them want is a conflict right here.
    const [only, ...more] = candidates
    if (only !== undefined && more.length === 0)
      planned.push(
        ...hostIps.map((hostIp) => ({ hostIp, hostPort: only, containerPort, protocol, containerName: options.containerName })),
      )
    return { ...demand, candidates }
  })
}

function checkRequest({ containerPort, hostPort, hostIp, protocol }: PortRequest, containerName: string): void {
  const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535
  const what = `publish ${containerPort}/${protocol} of ${containerName}`
  if (!isPort(containerPort)) throw networkError('network.invalid', `${what}: ${containerPort} is not a port`)
  if (hostIp !== '' && isIP(hostIp) === 0)
    throw networkError('network.invalid', `${what}: ${JSON.stringify(hostIp)} is not an IP address`)
  if (hostPort === null) return
  if (
    !isPort(hostPort.first) ||
    !isPort(hostPort.last) ||
    hostPort.last < hostPort.first ||
    hostPort.last - hostPort.first >= MAX_RANGE
  )
    throw networkError(
      'network.invalid',
      `${what}: ${hostPort.first}-${hostPort.last} is not a range of up to ${MAX_RANGE} ports`,
    )
}

function addressesOf(
  { hostIp, containerPort, protocol }: PortRequest,
  { families, defaultHostIp, containerName }: { families: readonly (4 | 6)[]; defaultHostIp: string; containerName: string },
): readonly string[] {
  const wanted = hostIp === '' ? defaultHostIp : hostIp
  if (wanted === '') return families.map((family) => (family === 4 ? '0.0.0.0' : '::'))
  if (wanted === '::1')
    throw networkError(
      'network.unsupported',
      `publish ${containerPort}/${protocol} of ${containerName} on ::1: the kernel forwards nothing from the loopback of IPv6`,
      { hint: 'Publish on 127.0.0.1, or on another address of this host.' },
    )
  const family = isIP(wanted) === 6 ? 6 : 4
  if (!families.includes(family))
    throw networkError(
      'network.invalid',
      `publish ${containerPort}/${protocol} of ${containerName} on ${wanted}: the container has no IPv${family} address`,
    )
  return [wanted]
}

function rangeOf({ first, last }: { readonly first: number; readonly last: number }): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at)
}

/** An address that stands for all of its family is in the way of each of them. */
export function holderOf(held: readonly HeldPort[], hostIp: string, port: number, protocol: string): HeldPort | undefined {
  const family = isIP(hostIp)
  return held.find(
    (other) =>
      other.hostPort === port &&
      other.protocol === protocol &&
      isIP(other.hostIp) === family &&
      (other.hostIp === hostIp || isWildcard(other.hostIp) || isWildcard(hostIp)),
  )
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

function conflict(
  { protocol }: PortRequest,
  hostIps: readonly string[],
  held: readonly HeldPort[],
  candidates: readonly number[],
) {
  const [first = 0] = candidates
  const holders = hostIps.map((hostIp) => ({ hostIp, holder: holderOf(held, hostIp, first, protocol) }))
  const { hostIp = '', holder } = holders.find((entry) => entry.holder !== undefined) ?? {}
  return portInUse(hostIp, candidates, protocol, `published by container ${holder?.containerName ?? 'unknown'}`)
}

/** Begins as Docker's own message does: tools look for these words. */
export function portInUse(hostIp: string, ports: readonly number[], protocol: string, why: string, cause?: unknown) {
  const range = ports.length > 1 ? `${ports[0]}-${ports.at(-1)}` : String(ports[0] ?? 0)
  const at = `${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:${range}`
  return networkError('network.port_in_use', `Bind for ${at} failed: port is already allocated (${protocol}, ${why})`, {
    cause,
    hint: 'Stop whoever has it (`ss -lnp` shows processes), or publish on another port.',
    details: { hostIp, port: ports[0], protocol },
  })
}
