import { done, json, segment } from './call.ts'
import type { DockerNetwork, DockerPruned } from './docker-wire.ts'
import type { Query, Transport } from './transport.ts'

export interface NetworkCalls {
  list(filters: string | undefined): Promise<readonly DockerNetwork[]>
  inspect(ref: string, query?: Query): Promise<DockerNetwork>
  create(body: unknown): Promise<{ readonly Id: string; readonly Warning?: string }>
  connect(ref: string, body: unknown): Promise<void>
  disconnect(ref: string, body: unknown): Promise<void>
  remove(ref: string): Promise<void>
  prune(filters: string | undefined): Promise<DockerPruned>
}

export function networkCalls(transport: Transport): NetworkCalls {
  const path = (ref: string, tail = '') => `/networks/${segment(ref)}${tail}`
  const get = <T>(url: string, query: Query = {}) => json<T>(transport, { method: 'GET', path: url, query })
  return {
    list: (filters) => get('/networks', { filters }),
    inspect: (ref, query) => get(path(ref), query),
    create: (body) => json(transport, { method: 'POST', path: '/networks/create', json: body }),
    connect: async (ref, body) => void (await done(transport, { method: 'POST', path: path(ref, '/connect'), json: body })),
    disconnect: async (ref, body) => void (await done(transport, { method: 'POST', path: path(ref, '/disconnect'), json: body })),
    remove: async (ref) => void (await done(transport, { method: 'DELETE', path: path(ref) })),
    prune: (filters) => json(transport, { method: 'POST', path: '/networks/prune', query: { filters } }),
  }
}
