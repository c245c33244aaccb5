import { createSocket } from 'node:dgram'
import { isIPv6, Socket } from 'node:net'

import { fail } from '#base'
import type { Clock, Random } from '#base'

import type { Transport } from './answer.ts'
import { framed, messagesOf } from './framing.ts'

/** Asks name servers of the outer world, from the daemon's own network. */
export interface Forwarder {
  /** The first answer that a server gives, tried in order. */
  forward(message: Buffer, servers: readonly string[], transport: Transport): Promise<Buffer>
}

/** A resolver's own first patience (resolv.conf(5): timeout) is 5 s; with two servers we must be done before. */
const TIMEOUT_MS = 2000
/** As in resolv.conf(5), MAXNS. */
const MAX_SERVERS = 3
/** Each costs a socket; a container that asks faster than the world answers must not take all of them. */
const MAX_IN_FLIGHT = 512
const PORT = 53

export function createForwarder({ clock, random, port = PORT }: { clock: Clock; random: Random; port?: number }): Forwarder {
  let inFlight = 0
  const askOne = (transport: Transport, message: Buffer, server: string) =>
    transport === 'udp' ? askUdp(clock, message, server, port) : askTcp(clock, message, server, port)
  return {
    forward: async (message, servers, transport) => {
      if (inFlight >= MAX_IN_FLIGHT) throw fail('queue.full', `more than ${MAX_IN_FLIGHT} DNS queries wait for an answer`)
      inFlight += 1
      try {
        // An id of our own: the client's may be guessed or repeated.
        const asked = withId(message, random.integer(65_536))
        let lastError: unknown = fail('operation.timeout', 'no name server to ask')
        for (const server of servers.slice(0, MAX_SERVERS)) {
          try {
            const reply = await askOne(transport, asked, server)
            return withId(reply, message.readUInt16BE(0))
          } catch (error) {
            lastError = error
          }
        }
        throw lastError
      } finally {
        inFlight -= 1
      }
    },
  }
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(id, 0)
  return copy
}

function isReplyTo(query: Buffer, reply: Buffer): boolean {
  return reply.length >= 12 && reply.readUInt16BE(0) === query.readUInt16BE(0) && ((reply[2] ?? 0) & 0x80) !== 0
}

function askUdp(clock: Clock, message: Buffer, server: string, port: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4')
  const timer = clock.after(TIMEOUT_MS, () =>
    reject(fail('operation.timeout', `name server ${server} did not answer within ${TIMEOUT_MS} ms`)),
  )
  socket.on('error', reject)
  // Connected, so that only that server can answer, and a refusal is heard of at once.
  socket.connect(port, server, () => socket.send(message))
  socket.on('message', (reply) => {
    if (isReplyTo(message, reply)) resolve(reply)
  })
  return promise.finally(() => {
    timer[Symbol.dispose]()
    socket.close()
  })
}

function askTcp(clock: Clock, message: Buffer, server: string, port: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = new Socket()
  const timer = clock.after(TIMEOUT_MS, () =>
    reject(fail('operation.timeout', `name server ${server} did not answer within ${TIMEOUT_MS} ms`)),
  )
  socket.on('error', reject)
  socket.on('close', () => reject(fail('operation.timeout', `name server ${server} closed the connection`)))
  const receive = messagesOf((reply) => {
    if (isReplyTo(message, reply)) resolve(reply)
  })
  socket.on('data', receive)
  socket.connect(port, server, () => socket.write(framed(message)))
  return promise.finally(() => {
    timer[Symbol.dispose]()
    socket.destroy()
  })
}
