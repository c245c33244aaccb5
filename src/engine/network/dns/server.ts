import { createSocket } from 'node:dgram'
import { closeSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'

import { messageOf } from '#base'
import type { Clock, Log } from '#base'
import { errnoOf } from '#host'
import type { BoundSocket, Host } from '#host'

import { NAME_SERVICE_ADDRESS } from '../identity-files.ts'
import type { Transport } from './answer.ts'
import { framed, messagesOf } from './framing.ts'

export interface NameServerPorts {
  readonly udpPort: number
  readonly tcpPort: number
}

export interface NameServer extends Disposable, NameServerPorts {}

export interface NameServerOptions {
  readonly host: Pick<Host, 'sockets'>
  readonly netnsPin: string
  /** Those of an earlier life: a flow that the kernel tracks goes on with them. 0: any. Others are chosen if somebody has them. */
  readonly ports: NameServerPorts
  readonly clock: Clock
  readonly log: Log
  readonly answer: (message: Buffer, transport: Transport) => Promise<Buffer | undefined>
}

/** A container has few resolvers at work at once; more connections than this are a leak or an attack. */
const MAX_CONNECTIONS = 64
/** From connecting to closing. Resolvers ask and go; whoever stays longer connects again. */
const CONNECTION_MS = 30_000
/** Queries of one sandbox that wait for the outer world. Further ones are dropped, as a full socket would do. */
const MAX_PENDING = 128

/**
 * Answers at 127.0.0.11 within a sandbox, by UDP and TCP, on high ports: port 53 is the container's own to bind. Ends with the daemon; whoever
 * recovers starts it again.
 */
export function startNameServer({ host, netnsPin, ports, clock, log, answer }: NameServerOptions): NameServer {
  let pending = 0
  const respond = (message: Buffer, transport: Transport, send: (reply: Buffer) => void) => {
    if (pending >= MAX_PENDING) return
    pending += 1
    answer(message, transport)
      .then((reply) => reply !== undefined && send(reply))
      .catch((error: unknown) => log.warn('answer a DNS query', { sandbox: netnsPin, error: messageOf(error) }))
      .finally(() => (pending -= 1))
  }
  const { udpSocket, tcpSocket } = openSockets(host, netnsPin, ports)
  const udp = createSocket('udp4')
  let isOpen = true
  udp.on('error', (error) => log.warn('name service', { sandbox: netnsPin, error: messageOf(error) }))
  udp.on('message', (message, { port, address }) =>
    respond(message, 'udp', (reply) => {
      if (isOpen) udp.send(reply, port, address, () => undefined)
    }),
  )
  const connections = new Set<Socket>()
  const tcp = createServer((socket) => {
    const end = clock.after(CONNECTION_MS, () => socket.destroy())
    connections.add(socket)
    socket.on('close', () => {
      end[Symbol.dispose]()
      connections.delete(socket)
    })
    socket.on('error', () => socket.destroy())
    socket.on(
      'data',
      messagesOf((message) => respond(message, 'tcp', (reply) => socket.writable && socket.write(framed(reply)))),
    )
  })
  tcp.maxConnections = MAX_CONNECTIONS
  tcp.on('error', (error) => log.warn('name service', { sandbox: netnsPin, error: messageOf(error) }))
  udp.bind({ fd: udpSocket.fd })
  udp.unref()
  tcp.listen({ fd: tcpSocket.fd })
  tcp.unref()
  return {
    udpPort: udpSocket.port,
    tcpPort: tcpSocket.port,
    [Symbol.dispose]: () => {
      if (!isOpen) return
      isOpen = false
      udp.close()
      tcp.close()
      for (const socket of connections) socket.destroy()
    },
  }
}

/** Both or none. */
function openSockets(
  host: Pick<Host, 'sockets'>,
  netnsPin: string,
  { udpPort, tcpPort }: NameServerPorts,
): { udpSocket: BoundSocket; tcpSocket: BoundSocket } {
  const at = (port: number) => ({ netnsPin, address: NAME_SERVICE_ADDRESS, port })
  const udpSocket = orAnyPort(udpPort, (port) => host.sockets.boundUdp(at(port)))
  try {
    return { udpSocket, tcpSocket: orAnyPort(tcpPort, (port) => host.sockets.listeningTcp(at(port))) }
  } catch (error) {
    closeSync(udpSocket.fd)
    throw error
  }
}

function orAnyPort(port: number, open: (port: number) => BoundSocket): BoundSocket {
  try {
    return open(port)
  } catch (error) {
    if (port === 0 || errnoOf(error) !== 'EADDRINUSE') throw error
    return open(0)
  }
}
