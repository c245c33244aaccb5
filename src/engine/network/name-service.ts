import { messageOf } from '#base'
import type { Clock, ContainerId, Log, Random } from '#base'
import type { Host } from '#host'

import { answerQuery } from './dns/answer.ts'
import { createForwarder } from './dns/forwarder.ts'
import { endpointsNamed } from './dns/name-index.ts'
import { startNameServer } from './dns/server.ts'
import { isLoopback, NAME_SERVICE_ADDRESS, NAME_SERVICE_PORT, parseResolvConf } from './identity-files.ts'
import type { Plugs } from './plugs.ts'
import type { Endpoint, Network } from './port.ts'
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
  readonly host: Pick<Host, 'sockets' | 'netfilter'>
  readonly state: NetworkState
  readonly plugs: Plugs
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly pinOf: (containerId: ContainerId) => string
  readonly readResolvConf: () => string
}

/** In the container's own namespace; says whose it is to those who list its rules. */
const REDIRECTION_TABLE = 'glovebox_names'

export function createNameService({
  host,
  state,
  plugs,
  clock,
  random,
  log,
  pinOf,
  readResolvConf,
}: NameServiceNeeds): NameService {
  const servers = new Map<ContainerId, Disposable>()
  const forwarder = createForwarder({ clock, random, host })
  const networksOf = (sandbox: Sandbox): readonly Network[] =>
    sandbox.endpoints.flatMap(({ networkId }) => state.networks.get(networkId) ?? [])
  const hostServers = () => parseResolvConf(readResolvConf()).nameServers
  const isNeeded = (sandbox: Sandbox) => {
    const networks = networksOf(sandbox)
    if (networks.some(({ isPredefined }) => !isPredefined)) return true
    // On the default bridge containers ask the host's servers themselves; if those listen on its loopback only, we ask for them.
    return networks.length > 0 && sandbox.nameServers.length === 0 && hostServers().length > 0 && hostServers().every(isLoopback)
  }
  const start = ({ containerId, nameServer: ports = { udpPort: 0, tcpPort: 0 } }: Sandbox) =>
    startNameServer({
      host,
      netnsPin: pinOf(containerId),
      ports,
      clock,
      log,
      answer: async (message, transport) => {
        await plugs.namesOpen
        const sandbox = state.sandboxes.get(containerId)
        if (sandbox === undefined) return undefined
        const networks = networksOf(sandbox)
        const namedNetworks = networks.filter(({ isPredefined }) => !isPredefined)
        // What the user named is meant as the container sees it: a neighbour of its, or a server in itself.
        const upstream =
          sandbox.nameServers.length > 0
            ? { servers: sandbox.nameServers, netnsPin: pinOf(containerId) }
            : { servers: hostServers() }
        // Names are a way out, too: a container without any other gets none.
        const mayAsk = networks.some(({ isInternal }) => !isInternal)
        return await answerQuery(message, {
          sandboxId: containerId,
          transport,
          random,
          lookup: {
            resolve: (_, name) =>
              addressesOf(linkedTo(state, sandbox, name)) ??
              plugs.services?.resolve({ containerId, networks: namedNetworks, name }) ??
              addressesOf(endpointsNamed(state.index, namedNetworks, name)),
            reverse: (_, address) => {
              for (const { id, name } of namedNetworks) {
                const service = plugs.services?.reverse(id, address)
                if (service !== undefined) return `${service}.${name}`
                const endpoint = state.index.at(id, address)
                if (endpoint !== undefined) return `${endpoint.dnsNames[0] ?? endpoint.containerName}.${name}`
              }
              return undefined
            },
            unanswered: (asked, kind) => plugs.unanswered(containerId, asked, kind),
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
      const server = start(sandbox)
      servers.set(containerId, server)
      const { udpPort, tcpPort } = server
      state.saveSandbox({ ...sandbox, nameServer: { udpPort, tcpPort } })
      host.netfilter.redirectLocal({
        netnsPin: pinOf(containerId),
        table: REDIRECTION_TABLE,
        address: NAME_SERVICE_ADDRESS,
        from: NAME_SERVICE_PORT,
        udpPort,
        tcpPort,
      })
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

/** Links are names that only this container uses (`--link db:database`); they come before what others are called. */
function linkedTo(state: NetworkState, sandbox: Sandbox, name: string): readonly Endpoint[] | undefined {
  for (const { networkId, links } of sandbox.endpoints) {
    const target = links.find(({ alias }) => alias.toLowerCase() === name)?.target
    const found = target === undefined ? [] : state.index.named(networkId, target)
    if (found.length > 0) return found
  }
  return undefined
}

function addressesOf(endpoints: readonly Endpoint[] | undefined): readonly string[] | undefined {
  return endpoints?.flatMap(({ ipAddress, ipv6Address }) => [ipAddress, ipv6Address].filter((address) => address !== ''))
}
