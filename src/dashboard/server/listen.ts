import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'

import { systemCodeOf, type Clock, type Log } from '#base'
import type { HttpApi, Serving } from '#api/http'

import { dashboardError } from './errors.ts'

export interface DashboardListen {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** PEM files; undefined: plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
}

/** A browser holds six of HTTP/1.1 and one for each stream; more at once than this are no people. */
const MAX_CONNECTIONS = 1024
const IDLE_TIMEOUT_MS = 75_000
/** Whoever is slower than this with a head or a body of a few bytes holds a connection for nothing. */
const HEADERS_TIMEOUT_MS = 15_000
const REQUEST_TIMEOUT_MS = 60_000
const MAX_HEADER_BYTES = 16 * 1024

/** Serves over HTTP or HTTPS. Errors: `dashboard.address_in_use`, `dashboard.address_invalid`, `dashboard.tls_invalid`. */
export async function listenForBrowsers(
  options: DashboardListen,
  { api, clock, log }: { readonly api: HttpApi; readonly clock: Clock; readonly log: Log },
): Promise<Serving> {
  const server = serverOf(options)
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', (request, response) => api.handleRequest(request, response))
  server.on('upgrade', (request, socket, head) => api.handleUpgrade(request, socket as Socket, head))
  server.on('connection', (socket) => socket.on('error', (error) => log.debug('a connection of a browser failed', { error })))
  const upgraded = new Set<Socket>()
  server.on('upgrade', (_request, socket) => {
    upgraded.add(socket as Socket)
    socket.once('close', () => upgraded.delete(socket as Socket))
  })
  const cut = () => {
    server.closeAllConnections()
    for (const socket of upgraded) socket.destroy()
  }
  await listen(server, options)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : options.port
  return { path: hostAndPort(options.host, port), close: async (graceMs = 0) => await close(server, { graceMs, clock, cut }) }
}

function hostAndPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function serverOf({ tls }: DashboardListen): Server {
  const bounds = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
  }
  if (tls === undefined) return createServer(bounds)
  try {
    const files = { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }
    return createTlsServer({ ...bounds, ...files, minVersion: 'TLSv1.2' })
  } catch (error) {
    throw dashboardError('dashboard.tls_invalid', `the dashboard cannot use ${tls.certFile} with ${tls.keyFile}`, {
      cause: error,
      hint: 'Give a certificate and its key in PEM.',
    })
  }
}

function listen(server: Server, { host, port }: DashboardListen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemCodeOf(error) === 'EADDRINUSE' ? 'dashboard.address_in_use' : 'dashboard.address_invalid'
      reject(
        dashboardError(code, `the dashboard cannot listen on ${hostAndPort(host, port)}: ${error.message}`, { cause: error }),
      )
    })
    server.listen({ host, port }, resolve)
  })
}

async function close(
  server: Server,
  { graceMs, clock, cut }: { readonly graceMs: number; readonly clock: Clock; readonly cut: () => void },
): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    if (graceMs === 0) return cut()
    const timer = clock.after(graceMs, cut)
    server.once('close', () => timer[Symbol.dispose]())
  })
}
