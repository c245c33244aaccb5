import { json, lines } from './call.ts'
import type { DockerDiskUsage, DockerEvent, DockerPruned, DockerSignedIn, DockerVersion } from './docker-wire.ts'
import type { Query, Transport } from './transport.ts'

export interface SystemCalls {
  version(): Promise<DockerVersion>
  info(): Promise<Readonly<Record<string, unknown>>>
  events(query: Query, signal?: AbortSignal): AsyncIterable<DockerEvent>
  /** What images, containers, volumes and build results take. */
  diskUsage(query: Query): Promise<DockerDiskUsage>
  /** Tries credentials at their registry. Gives what it says, and a token where it gave one. */
  signIn(credentials: object): Promise<DockerSignedIn>
  pruneBuilds(query: Query): Promise<DockerPruned>
  /** Whether a daemon answers now. Other failures than an absent daemon are errors. */
  isAnswering(): Promise<boolean>
}

export function systemCalls(transport: Transport): SystemCalls {
  return {
    version: () => json(transport, { method: 'GET', path: '/version' }),
    info: () => json(transport, { method: 'GET', path: '/info' }),
    events: (query, signal) =>
      lines(transport, { method: 'GET', path: '/events', query, ...(signal === undefined ? {} : { signal }) }),
    diskUsage: (query) => json(transport, { method: 'GET', path: '/system/df', query }),
    signIn: (credentials) => json(transport, { method: 'POST', path: '/auth', json: credentials }),
    pruneBuilds: (query) => json(transport, { method: 'POST', path: '/build/prune', query }),
    isAnswering: async () => {
      try {
        const response = await transport.send({ method: 'GET', path: '/_ping' })
        response.resume()
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'client.unreachable') return false
        throw error
      }
    },
  }
}
