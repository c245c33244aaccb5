import type { ContainerId, Log, Random } from '#base'
import { messageOf } from '#base'
import { errnoOf } from '#host'
import type { Host } from '#host'

import { networkError } from './errors.ts'
import { portInUse } from './port-allocation.ts'
import type { PortDemand } from './port-allocation.ts'
import type { PublishedPort } from './port.ts'

/**
 * Sockets that hold published ports. The firewall sends packets on before any socket sees them; the socket is there so that nobody
 * else on the host can believe to have the port, and so that we learn when somebody does.
 */
export interface PortHolders {
  /** All or none. */
  take(containerId: ContainerId, demands: readonly PortDemand[]): readonly PublishedPort[]
  /** Takes ports that are in use by a running container already; what cannot be had is only worth a warning. */
  retake(containerId: ContainerId, ports: readonly PublishedPort[]): void
  release(containerId: ContainerId): void
}

/** RFC 6335 section 6 */
const FIRST_DYNAMIC_PORT = 49_152
const DYNAMIC_PORTS = 16_384

/** How often a random port may turn out to be taken on another address of the same demand. */
const MAX_RANDOM_TRIES = 16

export function createPortHolders({ host, random, log }: { host: Pick<Host, 'sockets'>; random: Random; log: Log }): PortHolders {
  const held = new Map<ContainerId, DisposableStack>()
  const hold = (hostIp: string, protocol: PublishedPort['protocol'], port: number, stack: DisposableStack): number => {
    const socket = stack.use(host.sockets.reservePort({ address: hostIp, port, protocol }))
    // A kernel without SCTP sockets chooses none, but translates SCTP like the others.
    return socket.port === 0 ? FIRST_DYNAMIC_PORT + random.integer(DYNAMIC_PORTS) : socket.port
  }
  const holdAll = (
    { hostIps, protocol, containerPort }: PortDemand,
    port: number,
  ): { stack: DisposableStack; ports: PublishedPort[] } => {
    using stack = new DisposableStack()
    const ports: PublishedPort[] = []
    for (const hostIp of hostIps) {
      const hostPort = hold(hostIp, protocol, ports[0]?.hostPort ?? port, stack)
      ports.push({ hostIp, hostPort, containerPort, protocol })
    }
    return { stack: stack.move(), ports }
  }
  const satisfy = (
    demand: PortDemand,
    taken: ReadonlySet<string>,
  ): { stack: DisposableStack; ports: readonly PublishedPort[] } => {
    const tries = demand.candidates ?? Array.from({ length: MAX_RANDOM_TRIES }, () => 0)
    let lastError: unknown
    for (const port of tries) {
      if (demand.candidates !== undefined && demand.hostIps.some((hostIp) => taken.has(`${demand.protocol} ${hostIp} ${port}`)))
        continue
      try {
        return holdAll(demand, port)
      } catch (error) {
        if (errnoOf(error) !== 'EADDRINUSE') throw error
        lastError = error
      }
    }
    const [hostIp = ''] = demand.hostIps
    if (demand.candidates === undefined)
      throw networkError('network.no_free_port', `no free ${demand.protocol} port on ${hostIp}`, {
        cause: lastError,
        hint: 'The ephemeral range (net.ipv4.ip_local_port_range) is used up.',
      })
    throw portInUse(hostIp, demand.candidates, demand.protocol, 'a process of this host has it', lastError)
  }
  return {
    take: (containerId, demands) => {
      using stack = new DisposableStack()
      const taken = new Set<string>()
      const published = demands.flatMap((demand) => {
        const { stack: holders, ports } = satisfy(demand, taken)
        stack.use(holders)
        for (const { protocol, hostIp, hostPort } of ports) taken.add(`${protocol} ${hostIp} ${hostPort}`)
        return ports
      })
      const all = held.get(containerId) ?? new DisposableStack()
      all.use(stack.move())
      held.set(containerId, all)
      return published
    },
    retake: (containerId, ports) => {
      const stack = held.get(containerId) ?? new DisposableStack()
      held.set(containerId, stack)
      for (const { hostIp, hostPort, protocol } of ports) {
        try {
          hold(hostIp, protocol, hostPort, stack)
        } catch (error) {
          log.warn('hold a published port', { hostIp, hostPort, protocol, error: messageOf(error) })
        }
      }
    },
    release: (containerId) => {
      held.get(containerId)?.dispose()
      held.delete(containerId)
    },
  }
}
