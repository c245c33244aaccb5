import { isIP } from 'node:net'

import { networkError } from './errors.ts'
import type { PortRequest, PublishedPort } from './port.ts'

/** Somebody else's published port. */
export interface HeldPort extends PublishedPort {
  readonly containerName: string
}

/** One port to be taken on one address: the candidates in the order to try them, or undefined for any free one. */
export interface PortDemand {
  readonly hostIp: string
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
  return requests.flatMap((request) => {
    checkRequest(request, options.containerName)
    return addressesOf(request, options).map((hostIp) => {
      const candidates = request.hostPort === null ? undefined : rangeOf(request.hostPort)
      const free = candidates?.filter((port) => !holderOf([...options.held, ...planned], hostIp, port, request.protocol))
      if (candidates !== undefined && free?.length === 0)
        throw conflict(request, hostIp, [...options.held, ...planned], candidates)
      const [only, ...more] = free ?? []
      if (only !== undefined && more.length === 0)
        planned.push({ ...request, hostIp, hostPort: only, containerName: options.containerName })
      return { hostIp, protocol: request.protocol, containerPort: request.containerPort, candidates: free }
    })
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

function conflict({ protocol }: PortRequest, hostIp: string, held: readonly HeldPort[], candidates: readonly number[]) {
  const [first] = candidates
  const holder = first === undefined ? undefined : holderOf(held, hostIp, first, protocol)
  const at = `${hostIp.includes(':') ? `[${hostIp}]` : hostIp}:${candidates.length > 1 ? `${first}-${candidates.at(-1)}` : first}/${protocol}`
  return networkError(
    'network.port_in_use',
    `Bind for ${at} failed: port is already allocated (published by container ${holder?.containerName ?? 'unknown'})`,
    {
      hint: 'Stop that container, or publish on another port.',
      details: { hostIp, port: first, protocol, container: holder?.containerName },
    },
  )
}
