import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { memoryRecords, newId, silentLog, systemClock, systemRandom } from '#base'
import type { ContainerId, RecordStore } from '#base'
import { createNetworks } from '#engine/network'
import type { Networks, NetworksNeeds } from '#engine/network'

import { hostFixture } from './host-fixture.ts'
import type { HostFixture } from './host-fixture.ts'

const run = promisify(execFile)
const random = systemRandom()

export interface NetworkFixture extends HostFixture {
  readonly networks: Networks
  readonly records: RecordStore
  /** The same instance after a restart of the daemon. */
  again(): Networks
  /** A sandbox on these networks, as the engine makes it for a container. */
  container(name: string, networks: readonly string[], aliases?: readonly string[]): Promise<ContainerId>
  /** A TCP server in the sandbox that greets with a text. */
  serve(containerId: ContainerId, port: number, greeting: string): void
  /** The same on a socket that listens already. */
  greet(fd: number, greeting: string): void
  /** What a server says to somebody in that sandbox, or in the host's namespace. */
  hear(from: ContainerId | 'host', address: string, port: number): Promise<string>
  pinOf(containerId: ContainerId): string
}

export function networkFixture(options: Partial<NetworksNeeds> = {}): NetworkFixture {
  const fixture = hostFixture()
  const { host, root, suffix, defer } = fixture
  const records = memoryRecords()
  const open = () =>
    createNetworks({
      runDir: join(root, 'run'),
      instance: `test-${suffix}`,
      clock: systemClock(),
      random,
      log: silentLog(),
      records,
      host,
      ...options,
    })
  const networks = open()
  const containers: ContainerId[] = []
  defer(async () => {
    const last = open()
    await last.recover({ pidOf: () => null })
    await last.shutdown({ remove: true })
  })
  const greet = (fd: number, greeting: string) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end(`${greeting} to ${socket.remoteAddress ?? ''}`)
    })
    server.listen({ fd })
    defer(() => void server.close())
  }
  const pinOf = (id: ContainerId) => join(root, 'run/netns', id)
  return {
    ...fixture,
    networks,
    records,
    again: open,
    pinOf,
    container: async (name, on, aliases = []) => {
      const containerId = newId<ContainerId>(random)
      containers.push(containerId)
      networks.sandboxCreate(containerId)
      for (const network of on) await networks.attach({ containerId, containerName: name, network, aliases })
      return containerId
    },
    greet,
    serve: (containerId, port, greeting) =>
      greet(host.sockets.listeningTcp({ netnsPin: pinOf(containerId), address: '0.0.0.0', port }).fd, greeting),
    hear: async (from, address, port) => {
      const client = ['timeout', '1.5', 'bash', '-c', 'exec 3<>"/dev/tcp/$0/$1" && cat <&3', address, String(port)]
      const [command = '', ...args] = from === 'host' ? client : ['nsenter', `--net=${pinOf(from)}`, ...client]
      try {
        return (await run(command, args)).stdout
      } catch {
        return 'no answer'
      }
    },
  }
}
