import { createSocket } from 'node:dgram'
import { isIPv6, Socket } from 'node:net'
import type { SocketConstructorOpts } from 'node:net'

import { fail } from '#base'
import type { Clock, Random } from '#base'
import type { Host } from '#host'

import type { Transport } from './answer.ts'
import { framed, messagesOf } from './framing.ts'
import { DNS_CODE } from './message.ts'

/** Asks name servers of the outer world. */
export interface Forwarder {
  /** The first answer that says something, servers tried in order; if all of them fail, the last one's words. */
  forward(message: Buffer, upstream: Upstream, transport: Transport): Promise<Buffer>
}

export interface Upstream {
  readonly servers: readonly string[]
  /** Ask from inside this namespace: where 127.0.0.1 is the container itself. Without it from the daemon's own. */
  readonly netnsPin?: string
}

/** A resolver's own first patience (resolv.conf(5): timeout) is 5 s; with two servers we must be done before. */
const TIMEOUT_MS = 2000
/** As in resolv.conf(5), MAXNS. */
const MAX_SERVERS = 3
/** Each costs a socket; a container that asks faster than the world answers must not take all of them. */
const MAX_IN_FLIGHT = 512
const PORT = 53

/** Codes by which a server says that another may know better (RFC 1035 section 4.1.1). */
const EVASIVE: ReadonlySet<number> = new Set([DNS_CODE.serverFailure, DNS_CODE.notImplemented, DNS_CODE.refused])

export interface ForwarderNeeds {
  readonly clock: Clock
  readonly random: Random
  readonly host: Pick<Host, 'sockets'>
  readonly port?: number
}

export function createForwarder({ clock, random, host, port = PORT }: ForwarderNeeds): Forwarder {
  let inFlight = 0
  const askOne = (transport: Transport, message: Buffer, server: string, netnsPin: string | undefined) => {
    const target = { clock, host, server, port, netnsPin }
    return transport === 'udp' ? askUdp(message, target) : askTcp(message, target)
  }
  return {
    forward: async (message, { servers, netnsPin }, transport) => {
      if (inFlight >= MAX_IN_FLIGHT) throw fail('queue.full', `more than ${MAX_IN_FLIGHT} DNS queries wait for an answer`)
      inFlight += 1
      try {
        // An id of our own: the client's may be guessed or repeated.
        const asked = withId(message, random.integer(65_536))
        let lastError: unknown = fail('operation.timeout', 'no name server to ask')
        let evasive: Buffer | undefined
        for (const server of servers.slice(0, MAX_SERVERS)) {
          try {
            const reply = withId(await askOne(transport, asked, server, netnsPin), message.readUInt16BE(0))
            if (!EVASIVE.has((reply[3] ?? 0) & 0xf)) return reply
            evasive = reply
          } catch (error) {
            lastError = error
          }
        }
        if (evasive !== undefined) return evasive
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

interface Target {
  readonly clock: Clock
  readonly host: Pick<Host, 'sockets'>
  readonly server: string
  readonly port: number
  readonly netnsPin: string | undefined
}

function anyPortOf({ server, netnsPin }: Target) {
  return { address: isIPv6(server) ? '::' : '0.0.0.0', port: 0, ...(netnsPin === undefined ? {} : { netnsPin }) }
}

function askUdp(message: Buffer, target: Target): Promise<Buffer> {
  const { clock, host, server, port } = target
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4')
  const timer = clock.after(TIMEOUT_MS, () =>
    reject(fail('operation.timeout', `name server ${server} did not answer within ${TIMEOUT_MS} ms`)),
  )
  socket.on('error', reject)
  socket.on('message', (reply) => {
    if (isReplyTo(message, reply)) resolve(reply)
  })
  // Connected, so that only that server can answer, and a refusal is heard of at once.
  const connect = () => socket.connect(port, server, () => socket.send(message))
  if (target.netnsPin === undefined) connect()
  else socket.bind({ fd: host.sockets.boundUdp(anyPortOf(target)).fd }, connect)
  return promise.finally(() => {
    timer[Symbol.dispose]()
    socket.close()
  })
}

function askTcp(message: Buffer, target: Target): Promise<Buffer> {
  const { clock, host, server, port } = target
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket =
    target.netnsPin === undefined
      ? new Socket()
      : new Socket({ fd: host.sockets.boundTcp(anyPortOf(target)).fd, pauseOnCreate: true } as SocketConstructorOpts)
  const timer = clock.after(TIMEOUT_MS, () =>
    reject(fail('operation.timeout', `name server ${server} did not answer within ${TIMEOUT_MS} ms`)),
  )
  socket.on('error', reject)
  socket.on('close', () => reject(fail('operation.timeout', `name server ${server} closed the connection`)))
  const receive = messagesOf((reply) => {
    if (isReplyTo(message, reply)) resolve(reply)
  })
  socket.on('data', receive)
  socket.connect(port, server, () => {
    socket.resume()
    socket.write(framed(message))
  })
  return promise.finally(() => {
    timer[Symbol.dispose]()
    socket.destroy()
  })
}
