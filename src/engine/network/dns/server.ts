import { createSocket } from 'node:dgram'
import { closeSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'

import { messageOf } from '#base'
import type { Clock, Log } from '#base'
import type { BoundSocket, Host } from '#host'

import { NAME_SERVICE_ADDRESS } from '../identity-files.ts'
import type { Transport } from './answer.ts'
import { framed, messagesOf } from './framing.ts'

export interface NameServerOptions {
  readonly host: Pick<Host, 'sockets'>
  readonly netnsPin: string
  readonly clock: Clock
  readonly log: Log
  readonly answer: (message: Buffer, transport: Transport) => Promise<Buffer | undefined>
}

const PORT = 53
/** A container has few resolvers at work at once; more connections than this are a leak or an attack. */
const MAX_CONNECTIONS = 64
/** From connecting to closing. Resolvers ask and go; whoever stays longer connects again. */
const CONNECTION_MS = 30_000
/** Queries of one sandbox that wait for the outer world. Further ones are dropped, as a full socket would do. */
const MAX_PENDING = 128

/** Answers at 127.0.0.11:53 within a sandbox, by UDP and TCP. Ends with the daemon; whoever recovers starts it again. */
export function startNameServer({ host, netnsPin, clock, log, answer }: NameServerOptions): Disposable {
  let pending = 0
  const respond = (message: Buffer, transport: Transport, send: (reply: Buffer) => void) => {
    if (pending >= MAX_PENDING) return
    pending += 1
    answer(message, transport)
      .then((reply) => reply !== undefined && send(reply))
      .catch((error: unknown) => log.warn('answer a DNS query', { sandbox: netnsPin, error: messageOf(error) }))
      .finally(() => (pending -= 1))
  }
  const { udpSocket, tcpSocket } = openSockets(host, netnsPin)
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
function openSockets(host: Pick<Host, 'sockets'>, netnsPin: string): { udpSocket: BoundSocket; tcpSocket: BoundSocket } {
  const address = { netnsPin, address: NAME_SERVICE_ADDRESS, port: PORT }
  const udpSocket = host.sockets.boundUdp(address)
  try {
    return { udpSocket, tcpSocket: host.sockets.listeningTcp(address) }
  } catch (error) {
    closeSync(udpSocket.fd)
    throw error
  }
}
