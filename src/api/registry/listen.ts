import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

import { systemCodeOf, type Clock, type Log } from '#base'
import type { HttpApi, Serving } from '#api/http'

import { registryApiError } from './errors.ts'

export interface RegistryListen {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** undefined: plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly api: HttpApi
  readonly clock: Clock
  readonly log: Log
}

/** Clients keep connections between layers; more at once than this is no honest load on one machine. */
const MAX_CONNECTIONS = 2048

/** Longer than clients keep an idle connection (Go: 90 s). */
const IDLE_TIMEOUT_MS = 120_000
const HEADERS_TIMEOUT_MS = 30_000

/** A blob may take an hour on a slow line, but a connection on which nothing moves is dead. */
const STALLED_TIMEOUT_MS = 300_000

/** Serves the registry over HTTP or HTTPS. Errors: `registry_api.address_in_use`, `registry_api.address_invalid`, `registry_api.tls_invalid`. */
export async function serveRegistry(options: RegistryListen): Promise<Serving> {
  const server = serverOf(options)
  server.maxConnections = MAX_CONNECTIONS
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = 0
  server.keepAliveTimeout = IDLE_TIMEOUT_MS
  server.timeout = STALLED_TIMEOUT_MS
  server.on('request', (request, response) => options.api.handleRequest(request, response))
  await listen(server, options)
  const bound = server.address()
  const path = `${options.host}:${typeof bound === 'object' && bound !== null ? bound.port : options.port}`
  return { path, close: (graceMs = 0) => close(server, graceMs, options.clock) }
}

function serverOf({ tls }: RegistryListen): Server {
  if (tls === undefined) return createServer()
  try {
    return createTlsServer({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile), minVersion: 'TLSv1.2' })
  } catch (error) {
    throw registryApiError('registry_api.tls_invalid', `the registry cannot use ${tls.certFile} with ${tls.keyFile}`, {
      cause: error,
      hint: 'Give a certificate and its key in PEM.',
    })
  }
}

function listen(server: Server, { host, port }: RegistryListen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemCodeOf(error) === 'EADDRINUSE' ? 'registry_api.address_in_use' : 'registry_api.address_invalid'
      reject(registryApiError(code, `the registry cannot listen on ${host}:${port}: ${error.message}`, { cause: error }))
    })
    server.listen({ host, port }, resolve)
  })
}

async function close(server: Server, graceMs: number, clock: Clock): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    if (graceMs === 0) return server.closeAllConnections()
    const timer = clock.after(graceMs, () => server.closeAllConnections())
    server.once('close', () => timer[Symbol.dispose]())
  })
}
