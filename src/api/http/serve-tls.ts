import { createServer as createNetServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls'

import { systemCodeOf, type Clock, type Log } from '#base'

import { httpError } from './errors.ts'
import { close, httpServer, MAX_CONNECTIONS, type HttpApi, type Serving } from './serve.ts'
import { refusalOf } from './tls-refusal.ts'
import { readTlsFiles, type TlsFiles } from './tls-files.ts'

/** First byte of every TLS connection: a handshake record (RFC 8446, section 5.1). */
const HANDSHAKE = 0x16

/** A client that has not said who it is by then holds a connection for nothing. */
const HANDSHAKE_TIMEOUT_MS = 10_000

export interface TlsServeOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly files: TlsFiles
  /** As of `serve`. */
  readonly maxOpenFiles?: number | undefined
  readonly api: HttpApi
  readonly clock: Clock
  readonly log: Log
}

/**
 * Listens on TCP for clients that show a certificate of the CA's: whoever gets in has the host. All others learn why in an HTTP answer, and
 * nothing that they send is read as a request. Errors: `http.tls_invalid`, `http.address_invalid`, `http.address_in_use`.
 */
export async function serveTls(options: TlsServeOptions): Promise<Serving> {
  const { host, port, clock, log } = options
  const { server: http } = httpServer(options)
  const tls = tlsServer(options, (socket) => {
    const refusal = refusalOf(socket)
    if (refusal === null) return void http.emit('connection', socket)
    log.warn('a client was refused', { address: addressOf(socket), why: refusal })
    refuse(socket, { status: '403 Forbidden', message: refusal, clock })
  })
  const server = createNetServer({ allowHalfOpen: true }, (socket) => sort(socket, { tls, clock }))
  server.maxConnections = MAX_CONNECTIONS
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  await listen(server, host, port)
  const bound = server.address()
  const path = `${host}:${typeof bound === 'object' && bound !== null ? bound.port : port}`
  return { path, close: (graceMs = 0) => close(server, { http, cut, graceMs, clock }) }
}

/** Whether a client may come in is decided here and not by the library, which would close the connection without a word. */
function tlsServer({ files, log, clock }: TlsServeOptions, onSecure: (socket: TLSSocket) => void): TlsServer {
  const pems = readTlsFiles(files, { nowMs: clock.nowMs(), log })
  try {
    const asking = { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2', allowHalfOpen: true } as const
    const server = createTlsServer({ ...pems, ...asking, handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, onSecure)
    server.on('tlsClientError', (error, socket) => {
      log.debug('a TLS handshake failed', { address: addressOf(socket), error })
      socket.destroy()
    })
    return server
  } catch (error) {
    throw httpError('http.tls_invalid', `--tls-cert ${files.certFile} and --tls-key ${files.keyFile} are no pair`, {
      cause: error,
    })
  }
}

/** Who speaks plain HTTP here is told so; anything else goes on as TLS. */
function sort(socket: Socket, { tls, clock }: { readonly tls: TlsServer; readonly clock: Clock }): void {
  const timer = clock.after(HANDSHAKE_TIMEOUT_MS, () => socket.destroy())
  socket.once('close', () => timer[Symbol.dispose]())
  socket.on('error', () => socket.destroy())
  socket.once('readable', () => {
    timer[Symbol.dispose]()
    const first = socket.read() as Buffer | null
    if (first === null) return void socket.destroy()
    if (first[0] !== HANDSHAKE) {
      const message = 'this is plain HTTP, and the daemon speaks TLS here. Set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH'
      return refuse(socket, { status: '400 Bad Request', message, clock })
    }
    socket.unshift(first)
    tls.emit('connection', socket)
  })
}

/** Answers whatever was or will be asked first: an answer before the question would be dropped by clients. */
function refuse(socket: Socket, of: { readonly status: string; readonly message: string; readonly clock: Clock }): void {
  const body = `${JSON.stringify({ message: of.message })}\n`
  const head = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close']
  const answer = [`HTTP/1.1 ${of.status}`, ...head, '', body].join('\r\n')
  const timer = of.clock.after(HANDSHAKE_TIMEOUT_MS, () => socket.destroy())
  socket.once('close', () => timer[Symbol.dispose]())
  socket.on('error', () => socket.destroy())
  if (socket.bytesRead > 0 && !('encrypted' in socket)) return void socket.end(answer)
  socket.once('data', () => socket.end(answer))
}

function addressOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'gone'}:${socket.remotePort ?? 0}`
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemCodeOf(error)
      if (code === 'EADDRINUSE')
        reject(httpError('http.address_in_use', `--tcp ${host}:${port}: another process listens there`, { cause: error }))
      else if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
        reject(
          httpError('http.address_invalid', `--tcp ${host}:${port}: the address is none of this machine's`, { cause: error }),
        )
      else reject(error)
    })
    server.listen({ host, port }, resolve)
  })
}
