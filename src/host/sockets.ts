import { closeSync } from 'node:fs'

import { errnoError, errnoName, errnoOf, hostError } from './errors.ts'
import { AF, parseAddress } from './address.ts'
import type { BoundSocket, NamespacePort, SocketOptions, SocketPeer, SocketPort } from './port-network.ts'
import type { LazySyscalls, Syscalls } from './syscalls.ts'

const SOCK = { stream: 1, datagram: 2, nonBlocking: 0o4000, closeOnExec: 0o2000000 } as const
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_PEERCRED = 17
/** struct ucred of unix(7): pid, uid and gid. */
const UCRED_BYTES = 12
const IPPROTO_IPV6 = 41
const IPPROTO_SCTP = 132
const IPV6_V6ONLY = 26
const DEFAULT_BACKLOG = 128
const SOCKADDR_BYTES = 28

/** Sockets are bound here and now, by C: Node would put it off to a later tick, when the thread is back in its own namespace. */
export function linuxSockets(calls: LazySyscalls, namespaces: Pick<NamespacePort, 'inNetwork'>): SocketPort {
  const inside = <T>(netnsPin: string | undefined, work: () => T): T =>
    netnsPin === undefined ? work() : namespaces.inNetwork(netnsPin, work)
  const boundUdp = (options: SocketOptions) => inside(options.netnsPin, () => bindNow(calls, options, 'udp'))
  const listeningTcp = (options: SocketOptions & { readonly backlog?: number }) =>
    inside(options.netnsPin, () => {
      const socket = bindNow(calls, options, 'tcp')
      if (calls().listen(socket.fd, options.backlog ?? DEFAULT_BACKLOG) === 0) return socket
      const errno = calls().errno()
      closeSync(socket.fd)
      throw bindError(options, 'tcp', errno)
    })
  /**
   * Bound without SO_REUSEADDR and not listening, it keeps everybody else out and still answers with a refusal should a connection
   * get through to it. Only connections of the past can be in its way; then listening is what proves that nobody else has the port.
   */
  const reserveTcp = (options: SocketOptions) => {
    try {
      return inside(options.netnsPin, () => bindNow(calls, options, 'tcp', { isShared: false }))
    } catch (error) {
      if (errnoOf(error) !== 'EADDRINUSE') throw error
      return listeningTcp({ ...options, backlog: 1 })
    }
  }
  const reserve = (options: SocketOptions & { readonly protocol: 'tcp' | 'udp' | 'sctp' }): BoundSocket | undefined => {
    if (options.protocol === 'udp') return boundUdp(options)
    if (options.protocol === 'tcp') return reserveTcp(options)
    try {
      return inside(options.netnsPin, () => bindNow(calls, options, 'sctp', { isShared: false }))
    } catch (error) {
      if (errnoOf(error) === 'EPROTONOSUPPORT') return undefined
      throw error
    }
  }
  return {
    peer: (fd) => peerOf(calls(), fd),
    boundUdp,
    listeningTcp,
    boundTcp: (options) => inside(options.netnsPin, () => bindNow(calls, options, 'tcp')),
    reservePort: (options) => {
      const socket = reserve(options)
      if (socket === undefined) return { fd: -1, port: options.port, [Symbol.dispose]: () => undefined }
      let isOpen = true
      return {
        ...socket,
        [Symbol.dispose]: () => {
          if (isOpen) closeSync(socket.fd)
          isOpen = false
        },
      }
    },
  }
}

function peerOf(c: Syscalls, fd: number): SocketPeer | undefined {
  const value = Buffer.alloc(UCRED_BYTES)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(value.length)
  if (c.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, size) !== 0 || size.readUInt32LE() !== UCRED_BYTES) return undefined
  const pid = value.readInt32LE(0)
  return pid <= 0 ? undefined : { pid, uid: value.readUInt32LE(4), gid: value.readUInt32LE(8) }
}

function bindNow(
  calls: LazySyscalls,
  options: SocketOptions,
  protocol: 'tcp' | 'udp' | 'sctp',
  // Only for TCP, where it means "connections that are ending do not count"; for UDP it would mean "share the port".
  { isShared } = { isShared: protocol === 'tcp' },
): BoundSocket {
  const c = calls()
  const bytes = parseAddress(options.address)
  const family = bytes.length === 4 ? AF.inet : AF.inet6
  const type = protocol === 'udp' ? SOCK.datagram : SOCK.stream
  const fd = c.socket(family, type | SOCK.nonBlocking | SOCK.closeOnExec, protocol === 'sctp' ? IPPROTO_SCTP : 0)
  if (fd < 0) throw errnoError('host.socket_failed', `make a ${protocol} socket for ${options.address}`, c.errno())
  const on = Buffer.from([1, 0, 0, 0])
  if (isShared) c.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on, on.length)
  if (family === AF.inet6) c.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, on, on.length)
  const address = encodeSocketAddress(bytes, options.port)
  if (c.bind(fd, address, address.length) !== 0) {
    const errno = c.errno()
    closeSync(fd)
    throw bindError(options, protocol, errno)
  }
  return { fd, port: options.port === 0 ? portOf(calls, fd) : options.port }
}

/** struct sockaddr_in and sockaddr_in6: the family in the machine's order, port and address in the network's. */
function encodeSocketAddress(bytes: Buffer, port: number): Buffer {
  const isIpv4 = bytes.length === 4
  const address = Buffer.alloc(isIpv4 ? 16 : SOCKADDR_BYTES)
  address.writeUInt16LE(isIpv4 ? AF.inet : AF.inet6, 0)
  address.writeUInt16BE(port, 2)
  bytes.copy(address, isIpv4 ? 4 : 8)
  return address
}

function portOf(calls: LazySyscalls, fd: number): number {
  const address = Buffer.alloc(SOCKADDR_BYTES)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(address.length)
  if (calls().getsockname(fd, address, size) === 0) return address.readUInt16BE(2)
  const errno = calls().errno()
  closeSync(fd)
  throw errnoError('host.socket_failed', 'read the port of a new socket', errno)
}

function bindError({ address, port, netnsPin }: SocketOptions, protocol: string, errno: number) {
  const name = errnoName(errno)
  const what = `bind ${address.includes(':') ? `[${address}]` : address}:${port}/${protocol}${netnsPin === undefined ? '' : ` in ${netnsPin}`}`
  if (name === 'EADDRINUSE')
    return hostError('host.address_in_use', `${what}: the address is in use`, {
      details: { errno: name, address, port, protocol },
      hint: 'Find the process with `ss -lnp`, stop it, or choose another port.',
    })
  if (name === 'EADDRNOTAVAIL')
    return hostError('host.address_not_available', `${what}: no link of this host has that address`, { details: { errno: name } })
  return errnoError('host.socket_failed', what, errno)
}
