import { messageOf } from '#base'
import type { Clock, ContainerId, Log, Random } from '#base'
import type { Host } from '#host'

import { answerQuery } from './dns/answer.ts'
import { createForwarder } from './dns/forwarder.ts'
import { endpointsNamed } from './dns/name-index.ts'
import { startNameServer } from './dns/server.ts'
import { isLoopback, parseResolvConf } from './identity-files.ts'
import type { Network } from './port.ts'
import type { NetworkState, Sandbox } from './state.ts'

/** Answers names inside sandboxes: those of containers by itself, all others by asking the host's name servers. */
export interface NameService {
  /** Whether this sandbox's resolv.conf should point to us. */
  isNeeded(sandbox: Sandbox): boolean
  /** Starts answering in the sandbox, if needed and not yet done. */
  ensure(sandbox: Sandbox): void
  stop(containerId: ContainerId): void
  stopAll(): void
}

export interface NameServiceNeeds {
  readonly host: Pick<Host, 'sockets'>
  readonly state: NetworkState
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly pinOf: (containerId: ContainerId) => string
  readonly readResolvConf: () => string
}

export function createNameService({ host, state, clock, random, log, pinOf, readResolvConf }: NameServiceNeeds): NameService {
  const servers = new Map<ContainerId, Disposable>()
  const forwarder = createForwarder({ clock, random })
  const networksOf = (sandbox: Sandbox): readonly Network[] =>
    sandbox.endpoints.flatMap(({ networkId }) => state.networks.get(networkId) ?? [])
  const hostServers = () => parseResolvConf(readResolvConf()).nameServers
  const isNeeded = (sandbox: Sandbox) => {
    const networks = networksOf(sandbox)
    if (networks.some(({ isPredefined }) => !isPredefined)) return true
    // On the default bridge containers ask the host's servers themselves; if those listen on its loopback only, we ask for them.
    return networks.length > 0 && sandbox.nameServers.length === 0 && hostServers().length > 0 && hostServers().every(isLoopback)
  }
  const start = (containerId: ContainerId) =>
    startNameServer({
      host,
      netnsPin: pinOf(containerId),
      clock,
      log,
      answer: (message, transport) => {
        const sandbox = state.sandboxes.get(containerId)
        if (sandbox === undefined) return Promise.resolve(undefined)
        const networks = networksOf(sandbox)
        const namedNetworks = networks.filter(({ isPredefined }) => !isPredefined)
        const upstream = sandbox.nameServers.length > 0 ? sandbox.nameServers : hostServers()
        // Names are a way out, too: a container without any other gets none.
        const mayAsk = networks.some(({ isInternal }) => !isInternal)
        return answerQuery(message, {
          sandboxId: containerId,
          transport,
          random,
          lookup: {
            resolve: (_, name) =>
              endpointsNamed(state.index, namedNetworks, name)?.flatMap(({ ipAddress, ipv6Address }) =>
                [ipAddress, ipv6Address].filter((address) => address !== ''),
              ),
            reverse: (_, address) => {
              for (const { id, name } of namedNetworks) {
                const endpoint = state.index.at(id, address)
                if (endpoint !== undefined) return `${endpoint.dnsNames[0] ?? endpoint.containerName}.${name}`
              }
              return undefined
            },
            forward: mayAsk ? (query, by) => forwarder.forward(query, upstream, by) : undefined,
          },
        })
      },
    })
  return {
    isNeeded,
    ensure: (sandbox) => {
      const { containerId } = sandbox
      if (servers.has(containerId) || !isNeeded(sandbox)) return
      servers.set(containerId, start(containerId))
    },
    stop: (containerId) => {
      servers.get(containerId)?.[Symbol.dispose]()
      servers.delete(containerId)
    },
    stopAll: () => {
      for (const [containerId, server] of servers) {
        try {
          server[Symbol.dispose]()
        } catch (error) {
          log.warn('stop a name service', { container: containerId, error: messageOf(error) })
        }
      }
      servers.clear()
    },
  }
}
