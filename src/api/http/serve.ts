import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Clock, Log } from '#base'

import { clearStaleSocket, restrictSocket } from './socket-path.ts'

/** Attachments and event streams hold a connection each; a thousand containers with a follower or two stay well below. */
const MAX_CONNECTIONS = 8192

/** Longer than any client keeps an idle connection in its pool (Go: 90 s), so that it is never we who close under a new request. */
const IDLE_TIMEOUT_MS = 600_000

/** A client that has not finished its head by then is broken or hostile. Bodies have no limit: a build context may take an hour. */
const HEADERS_TIMEOUT_MS = 60_000

/** Registry credentials travel in headers, one entry per registry. */
const MAX_HEADER_BYTES = 64 * 1024

export interface HttpApi {
  handleRequest(request: IncomingMessage, response: ServerResponse): void
  /** `head`: what came behind the request's own head. */
  handleUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void
  /** Which requests with an Upgrade header it wants as upgrades; the others are ordinary requests. */
  wantsUpgrade(request: IncomingMessage): boolean
  /** Bytes that are no HTTP. True: they are its own business, and so is the connection from now on. */
  takesStrayBytes?(socket: Socket, packet: Buffer): boolean
}

export interface ServeOptions {
  readonly unixSocketPath: string
  /** Permission bits of the socket; 0660 unless told. */
  readonly mode?: number
  /** Name or number of the group that may connect too. */
  readonly group?: string
  readonly api: HttpApi
  readonly clock: Clock
  readonly log: Log
}

export interface Serving {
  readonly path: string
  /** Takes no more requests, lets running ones end for `graceMs`, then cuts them. */
  close(graceMs?: number): Promise<void>
}

/** Listens on a unix socket. Errors: `http.socket_in_use`, `http.socket_path_invalid`, `http.group_unknown`. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { api, unixSocketPath: path, log } = options
  await clearStaleSocket(path)
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: false,
    shouldUpgradeCallback: (request: IncomingMessage) => api.wantsUpgrade(request),
  })
  server.maxConnections = MAX_CONNECTIONS
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', (error) => log.debug('a client connection failed', { error }))
  })
  server.on('request', (request, response) => api.handleRequest(request, response))
  server.on('upgrade', (request, socket, head) => api.handleUpgrade(request, socket as Socket, head))
  server.on('clientError', (error: Error & { readonly rawPacket?: Buffer }, socket) => {
    if (api.takesStrayBytes?.(socket as Socket, error.rawPacket ?? Buffer.alloc(0)) === true) return
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  await listen(server, path)
  try {
    await restrictSocket(path, { mode: options.mode ?? 0o660, ...(options.group === undefined ? {} : { group: options.group }) })
  } catch (error) {
    server.close()
    throw error
  }
  return { path, close: (graceMs = 0) => close(server, sockets, graceMs, options.clock) }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Nobody but the owner may connect in the moment before the mode is set.
    const before = process.umask(0o177)
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
    process.umask(before)
  })
}

async function close(server: Server, sockets: ReadonlySet<Socket>, graceMs: number, clock: Clock): Promise<void> {
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  await new Promise<void>((resolve) => {
    // Closing the server also removes the socket file.
    server.close(() => resolve())
    server.closeIdleConnections()
    if (graceMs === 0) return cut()
    const timer = clock.after(graceMs, cut)
    server.once('close', () => timer[Symbol.dispose]())
  })
}
