import type { Readable } from 'node:stream'

import { done, json, lines, segment } from './call.ts'
import type {
  DockerHistoryEntry,
  DockerImage,
  DockerImageSummary,
  DockerProgress,
  DockerPruned,
  DockerRemovedImage,
} from './docker-wire.ts'
import type { Query, Transport } from './transport.ts'

export interface ImageCalls {
  list(query: Query): Promise<readonly DockerImageSummary[]>
  inspect(ref: string, query?: Query): Promise<DockerImage>
  history(ref: string, query?: Query): Promise<readonly DockerHistoryEntry[]>
  remove(ref: string, query: Query): Promise<readonly DockerRemovedImage[]>
  tag(ref: string, repo: string, tag: string): Promise<void>
  /** Several references go into one archive. */
  save(refs: readonly string[], query?: Query): Promise<Readable>
  load(archive: Readable, query?: Query): AsyncIterable<DockerProgress>
  /** A root file system as a tar becomes an image of one layer. */
  import(archive: Readable, query: Query): AsyncIterable<DockerProgress>
  /** `auth`: base64url of JSON, for the registry of the image. */
  pull(ref: string, query: Query, auth: string | undefined, signal?: AbortSignal): AsyncIterable<DockerProgress>
  /** Without `tag` in the query: every tag of the name. */
  push(name: string, query: Query, auth: string | undefined, signal?: AbortSignal): AsyncIterable<DockerProgress>
  prune(filters: string | undefined): Promise<DockerPruned>
  build(context: Readable, query: Query, signal?: AbortSignal): AsyncIterable<DockerProgress>
}

const TAR = 'application/x-tar'

export function imageCalls(transport: Transport): ImageCalls {
  // Names keep their slashes: the API's path holds them as they are.
  const path = (ref: string, tail = '') => `/images/${ref.split('/').map(segment).join('/')}${tail}`
  return {
    list: (query) => json(transport, { method: 'GET', path: '/images/json', query }),
    inspect: (ref, query = {}) => json(transport, { method: 'GET', path: path(ref, '/json'), query }),
    history: (ref, query = {}) => json(transport, { method: 'GET', path: path(ref, '/history'), query }),
    remove: (ref, query) => json(transport, { method: 'DELETE', path: path(ref), query }),
    tag: async (ref, repo, tag) =>
      void (await done(transport, { method: 'POST', path: path(ref, '/tag'), query: { repo, tag } })),
    save: (refs, query = {}) => transport.send({ method: 'GET', path: '/images/get', query: { names: refs, ...query } }),
    load: (archive, query = {}) =>
      lines(transport, { method: 'POST', path: '/images/load', query, stream: archive, contentType: TAR }),
    import: (archive, query) =>
      lines(transport, {
        method: 'POST',
        path: '/images/create',
        query: { fromSrc: '-', ...query },
        stream: archive,
        contentType: TAR,
      }),
    pull: (ref, query, auth, signal) =>
      lines(transport, {
        method: 'POST',
        path: '/images/create',
        query: { fromImage: ref, ...query },
        headers: authHeader(auth),
        ...withSignal(signal),
      }),
    push: (name, query, auth, signal) =>
      lines(transport, { method: 'POST', path: path(name, '/push'), query, headers: authHeader(auth), ...withSignal(signal) }),
    prune: (filters) => json(transport, { method: 'POST', path: '/images/prune', query: { filters } }),
    build: (context, query, signal) =>
      lines(transport, {
        method: 'POST',
        path: '/build',
        query,
        stream: context,
        contentType: TAR,
        ...withSignal(signal),
      }),
  }
}

function authHeader(auth: string | undefined): Readonly<Record<string, string>> {
  return auth === undefined ? {} : { 'x-registry-auth': auth }
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}
