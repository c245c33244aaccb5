import { createSocket } from 'node:dgram'
import { Socket, type SocketConstructorOpts } from 'node:net'

import { silentLog, systemClock, type ContainerId } from '#base'
import { startDiscovery, type DiscoveredService, type DiscoveredTask, type Discovery } from '#traffic/discovery'
import { PLAIN_RULES, startPolicy, type Policy, type PolicyRules, type PolicedStack } from '#traffic/policy'

import { discoveryNetworks, nftOf } from '../../src/daemon/discovery.ts'
import { networkFixture, type NetworkFixture } from './network-fixture.ts'

const CONNECT_TIMEOUT_MS = 4000

/** Services on real networks, with the loops that keep their names, addresses and rules. */
export interface ServiceFixture extends NetworkFixture {
  /** What the loops are told; call `settle` after a change. */
  readonly services: Map<string, DiscoveredService>
  readonly rules: Map<string, PolicyRules>
  readonly discovery: Discovery
  readonly policy: Policy
  settle(): Promise<void>
  task(id: ContainerId, isReady?: boolean): DiscoveredTask
  define(stack: string, name: string, network: string, tasks: readonly DiscoveredTask[]): void
  /** What a TCP server says, or why it did not. */
  connect(from: ContainerId, address: string, port: number): Promise<string>
  /** A UDP server that answers with its name, and a client that keeps its port. */
  echo(containerId: ContainerId, port: number, name: string): void
  udpClient(from: ContainerId): (address: string, port: number) => Promise<string>
}

export function serviceFixture(): ServiceFixture {
  const fixture = networkFixture()
  const { networks, host, defer, pinOf } = fixture
  const services = new Map<string, DiscoveredService>()
  const rules = new Map<string, PolicyRules>()
  const nothing = { listen: () => ({ [Symbol.dispose]: () => undefined }) }
  const shared = { clock: systemClock(), log: silentLog() }
  const discovery = startDiscovery({
    ...shared,
    source: { ...nothing, services: async () => await Promise.resolve([...services.values()]) },
    networks: discoveryNetworks(networks, host),
    nft: nftOf(host),
    table: `${networks.tableName}_services`,
  })
  const policy = startPolicy({
    ...shared,
    source: { ...nothing, stacks: async () => await Promise.resolve(policed()) },
    nft: { ...nftOf(host), listSet: async (table, set) => await host.nftables.listSet('inet', table, set) },
    table: `${networks.tableName}_policy`,
  })
  const policed = (): readonly PolicedStack[] =>
    [...Map.groupBy(services.values(), ({ stack }) => stack ?? '')].map(([name, own]) => ({
      name,
      rules: rules.get(name) ?? PLAIN_RULES,
      networks: [...new Set(own.flatMap((service) => service.networks.map((network) => network.name)))].map((key) => {
        const { bridge, subnets } = networks.get(key)
        return {
          key,
          name: key,
          bridge,
          subnets: subnets.map(({ subnet }) => subnet),
          gateways: subnets.map(({ gateway }) => gateway),
        }
      }),
      services: own.map(({ name: service, tasks }) => ({
        name: service,
        tasks: tasks.map(({ id, addresses }) => ({ name: id, addresses })),
      })),
    }))
  defer(async () => {
    await discovery[Symbol.asyncDispose]()
    await policy[Symbol.asyncDispose]()
  })
  const settle = async () => {
    using _none = await discovery.withdraw('nobody')
    await policy.settle()
  }
  const pin = (id: ContainerId) => ({ netnsPin: pinOf(id), address: '0.0.0.0' })
  return {
    ...fixture,
    services,
    rules,
    discovery,
    policy,
    settle,
    task: (id, isReady = true) => ({
      id,
      isRunning: true,
      isReady,
      addresses: Object.fromEntries(
        networks
          .endpointsOf(id)
          .map((one) => [one.networkName, [one.ipAddress, one.ipv6Address].filter((address) => address !== '')]),
      ),
    }),
    define: (stack, name, network, tasks) =>
      void services.set(`${stack}/${name}`, {
        stack,
        name,
        endpointMode: 'vip',
        networks: [{ name: network, aliases: [] }],
        tasks,
      }),
    connect: async (from, address, port) => {
      const any = address.includes(':') ? '::' : '0.0.0.0'
      const { fd } = host.sockets.boundTcp({ netnsPin: pinOf(from), address: any, port: 0 })
      const socket = new Socket({ fd, pauseOnCreate: true } as SocketConstructorOpts)
      const { promise, resolve } = Promise.withResolvers<string>()
      let said = ''
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => resolve('no answer'))
      socket.setEncoding('utf8').on('data', (text: string) => (said += text))
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      socket.on('end', () => resolve(said))
      socket.connect(port, address, () => socket.resume())
      try {
        return await promise
      } finally {
        socket.destroy()
      }
    },
    echo: (containerId, port, name) => {
      const server = createSocket('udp4').bind({ fd: host.sockets.boundUdp({ ...pin(containerId), port }).fd })
      server.on('message', (_, { port: to, address }) => server.send(name, to, address))
      defer(() => void server.close())
    },
    udpClient: (from) => {
      const client = createSocket('udp4').bind({ fd: host.sockets.boundUdp({ ...pin(from), port: 0 }).fd })
      defer(() => void client.close())
      return async (address, port) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        client.once('message', (message) => resolve(message.toString('utf8')))
        client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
        client.send('?', port, address)
        using _late = systemClock().after(1000, () => resolve('no answer'))
        const heard = await promise
        client.removeAllListeners('message').removeAllListeners('error')
        return heard
      }
    },
  }
}
