import type { Clock, Log } from '#base'

import { httpError } from './errors.ts'
import { close, httpServer, type HttpApi, type Serving } from './serve.ts'

export interface TcpServeOptions {
  readonly host: string
  /** 0: one that is free. */
  readonly port: number
  readonly maxOpenFiles?: number | undefined
  readonly api: HttpApi
  readonly clock: Clock
  readonly log: Log
}

/** Listens on TCP without TLS: for what anybody may read who gets there, and that changes nothing. Error: `http.address_in_use`. */
export async function serveTcp(options: TcpServeOptions): Promise<Serving> {
  const { host, port, clock } = options
  const { server, connections } = httpServer(options)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(httpError('http.address_in_use', `listen on ${host}:${port}: ${error.message}`, { cause: error })),
    )
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    path: `${host}:${bound}`,
    close: (graceMs = 0) => close(server, { http: server, cut: connections.destroyAll, graceMs, clock }),
  }
}
