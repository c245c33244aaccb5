import { done, json, segment } from './call.ts'
import type { DockerPruned, DockerVolume } from './docker-wire.ts'
import type { Transport } from './transport.ts'

export interface VolumeCalls {
  list(filters: string | undefined): Promise<readonly DockerVolume[]>
  inspect(name: string): Promise<DockerVolume>
  create(body: unknown): Promise<DockerVolume>
  remove(name: string, query: { readonly force: boolean | undefined }): Promise<void>
  prune(filters: string | undefined): Promise<DockerPruned>
}

export function volumeCalls(transport: Transport): VolumeCalls {
  const path = (name: string) => `/volumes/${segment(name)}`
  return {
    list: async (filters) => {
      const found = await json<{ readonly Volumes: readonly DockerVolume[] | null }>(transport, {
        method: 'GET',
        path: '/volumes',
        query: { filters },
      })
      return found.Volumes ?? []
    },
    inspect: (name) => json(transport, { method: 'GET', path: path(name) }),
    create: (body) => json(transport, { method: 'POST', path: '/volumes/create', json: body }),
    remove: async (name, query) => void (await done(transport, { method: 'DELETE', path: path(name), query })),
    prune: (filters) => json(transport, { method: 'POST', path: '/volumes/prune', query: { filters } }),
  }
}
