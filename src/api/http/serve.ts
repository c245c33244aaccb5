import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Server as NetServer, Socket } from 'node:net'

import type { Clock, Log } from '#base'

import { boundedConnections, type Connections } from './connections.ts'
import { clearStaleSocket, restrictSocket } from './socket-path.ts'

/** Attachments and event streams hold a connection each; a thousand containers with a follower or two stay well below. */
export const MAX_CONNECTIONS = 8192

/** Of the files that a process may open, connections get this share at most: what is done for them opens files as well. */
const MAX_SHARE_OF_FILES = 0.5

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
  /** How many files this process may open, as getrlimit(2) tells; without it no bound is derived from it. */
  readonly maxOpenFiles?: number | undefined
  readonly api: HttpApi
  readonly clock: Clock
  readonly log: Log
}

export interface Serving {
  /** Of the socket, or `HOST:PORT`. */
  readonly path: string
  /** Takes no more requests, lets running ones end for `graceMs`, then cuts them. */
  close(graceMs?: number): Promise<void>
}

/** Listens on a unix socket. Errors: `http.socket_in_use`, `http.socket_path_invalid`, `http.group_unknown`. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { unixSocketPath: path } = options
  await clearStaleSocket(path)
  const { server, connections } = httpServer(options)
  await listen(server, path)
  try {
    await restrictSocket(path, { mode: options.mode ?? 0o660, ...(options.group === undefined ? {} : { group: options.group }) })
  } catch (error) {
    server.close()
    throw error
  }
  return {
    path,
    close: (graceMs = 0) => close(server, { http: server, cut: connections.destroyAll, graceMs, clock: options.clock }),
  }
}

/** The protocol, wherever its connections come from: a listener of its own, or one that hands them over by the event `connection`. */
export function httpServer({ api, log, maxOpenFiles = Infinity }: Pick<ServeOptions, 'api' | 'log' | 'maxOpenFiles'>): {
  readonly server: Server
  readonly connections: Connections
} {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: false,
    shouldUpgradeCallback: (request: IncomingMessage) => api.wantsUpgrade(request),
  })
  const connections = boundedConnections(Math.min(MAX_CONNECTIONS, Math.floor(maxOpenFiles * MAX_SHARE_OF_FILES)))
  server.on('connection', (socket) => {
    socket.on('error', (error) => log.debug('a client connection failed', { error }))
    connections.add(socket)
  })
  server.on('request', (request, response) => {
    connections.serves(request, response)
    api.handleRequest(request, response)
  })
  server.on('upgrade', (request, socket, head) => {
    connections.takenOver(socket as Socket)
    api.handleUpgrade(request, socket as Socket, head)
  })
  server.on('clientError', (error: Error & { readonly rawPacket?: Buffer }, socket) => {
    if (api.takesStrayBytes?.(socket as Socket, error.rawPacket ?? Buffer.alloc(0)) === true) return
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  return { server, connections }
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

/** Closes a listener: no new connections, idle ones cut, the others after `graceMs`. */
export async function close(
  server: NetServer,
  of: { readonly http: Server; readonly cut: () => void; readonly graceMs: number; readonly clock: Clock },
): Promise<void> {
  await new Promise<void>((resolve) => {
    // Closing the listener of a unix socket also removes the socket file.
    server.close(() => resolve())
    of.http.closeIdleConnections()
    if (of.graceMs === 0) return of.cut()
    const timer = of.clock.after(of.graceMs, of.cut)
    server.once('close', () => timer[Symbol.dispose]())
  })
}
