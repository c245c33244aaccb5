import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

import { done, json, lines, segment } from './call.ts'
import type {
  DockerContainer,
  DockerContainerSummary,
  DockerExec,
  DockerPruned,
  DockerStats,
  DockerTop,
  DockerWait,
} from './docker-wire.ts'
import { clientError } from './errors.ts'
import type { Query, Transport, Upgraded } from './transport.ts'

export interface ContainerCalls {
  list(query: Query): Promise<readonly DockerContainerSummary[]>
  create(
    body: unknown,
    name: string | undefined,
    platform?: string,
  ): Promise<{ readonly Id: string; readonly Warnings?: readonly string[] | null }>
  inspect(ref: string, query?: Query): Promise<DockerContainer>
  /** False: it runs already. */
  start(ref: string, query?: Query): Promise<boolean>
  /** False: it does not run. */
  stop(ref: string, query: Query): Promise<boolean>
  restart(ref: string, query: Query): Promise<void>
  kill(ref: string, signal: string | undefined): Promise<void>
  pause(ref: string): Promise<void>
  unpause(ref: string): Promise<void>
  rename(ref: string, name: string): Promise<void>
  update(ref: string, body: unknown): Promise<{ readonly Warnings?: readonly string[] | null }>
  top(ref: string, psArguments: string | undefined): Promise<DockerTop>
  /** One value a second with `stream`, else one value. */
  stats(ref: string, query: Query, signal?: AbortSignal): AsyncIterable<DockerStats>
  /** Its whole file system as a tar. */
  export(ref: string): Promise<Readable>
  prune(filters: string | undefined): Promise<DockerPruned>
  remove(ref: string, query: Query): Promise<void>
  resize(ref: string, size: TerminalSize): Promise<void>
  attach(ref: string, query: Query): Promise<Upgraded>
  /** Resolves at once; `exit` resolves when the condition comes true. */
  wait(ref: string, condition: 'next-exit' | 'removed' | 'not-running'): Promise<{ readonly exit: Promise<DockerWait> }>
  /** Docker's stream frames, or raw bytes for a container with a terminal. */
  logs(ref: string, query: Query, signal?: AbortSignal): Promise<IncomingMessage>
  createExec(ref: string, body: unknown): Promise<string>
  startExec(id: string, body: unknown): Promise<Upgraded>
  startExecDetached(id: string, body: unknown): Promise<void>
  resizeExec(id: string, size: TerminalSize): Promise<void>
  inspectExec(id: string): Promise<DockerExec>
  /** What lies at a path of the container. */
  statPath(ref: string, path: string): Promise<PathStat>
  /** A tar of the path. */
  readPath(ref: string, path: string): Promise<Readable>
  /** Unpacks a tar in a directory of the container. */
  writePath(ref: string, path: string, tar: Readable, query: Query): Promise<void>
  /** Against its image. */
  changes(ref: string): Promise<readonly DockerChange[]>
  /** Gives the image's id. */
  commit(ref: string, query: Query): Promise<string>
}

export interface PathStat {
  readonly isDirectory: boolean
  /** Of a link: where it leads, all links resolved; else empty. */
  readonly linkTarget: string
}

export interface DockerChange {
  readonly Path: string
  /** 0 changed, 1 added, 2 deleted. */
  readonly Kind: 0 | 1 | 2
}

export interface TerminalSize {
  readonly rows: number
  readonly columns: number
}

export function containerCalls(transport: Transport): ContainerCalls {
  const path = (ref: string, tail = '') => `/containers/${segment(ref)}${tail}`
  const post = async (url: string, query?: Query) =>
    (await done(transport, { method: 'POST', path: url, query: query ?? {} })) !== 304
  return {
    list: (query) => json(transport, { method: 'GET', path: '/containers/json', query }),
    create: (body, name, platform) =>
      json(transport, { method: 'POST', path: '/containers/create', query: { name, platform }, json: body }),
    inspect: (ref, query = {}) => json(transport, { method: 'GET', path: path(ref, '/json'), query }),
    start: (ref, query) => post(path(ref, '/start'), query),
    stop: (ref, query) => post(path(ref, '/stop'), query),
    restart: async (ref, query) => void (await post(path(ref, '/restart'), query)),
    pause: async (ref) => void (await post(path(ref, '/pause'))),
    unpause: async (ref) => void (await post(path(ref, '/unpause'))),
    rename: async (ref, name) => void (await post(path(ref, '/rename'), { name })),
    update: (ref, body) => json(transport, { method: 'POST', path: path(ref, '/update'), json: body }),
    top: (ref, psArguments) => json(transport, { method: 'GET', path: path(ref, '/top'), query: { ps_args: psArguments } }),
    stats: (ref, query, signal) =>
      lines(transport, { method: 'GET', path: path(ref, '/stats'), query, ...(signal === undefined ? {} : { signal }) }),
    export: (ref) => transport.send({ method: 'GET', path: path(ref, '/export') }),
    prune: (filters) => json(transport, { method: 'POST', path: '/containers/prune', query: { filters } }),
    kill: async (ref, signal) => void (await post(path(ref, '/kill'), { signal })),
    remove: async (ref, query) => void (await done(transport, { method: 'DELETE', path: path(ref), query })),
    resize: async (ref, size) => void (await post(path(ref, '/resize'), { h: size.rows, w: size.columns })),
    attach: (ref, query) => transport.upgrade({ method: 'POST', path: path(ref, '/attach'), query }),
    wait: async (ref, condition) => {
      const response = await transport.send({ method: 'POST', path: path(ref, '/wait'), query: { condition } })
      return { exit: readExit(response) }
    },
    logs: (ref, query, signal) =>
      transport.send({ method: 'GET', path: path(ref, '/logs'), query, ...(signal === undefined ? {} : { signal }) }),
    createExec: async (ref, body) => {
      const made = await json<{ readonly Id: string }>(transport, { method: 'POST', path: path(ref, '/exec'), json: body })
      return made.Id
    },
    startExec: (id, body) => transport.upgrade({ method: 'POST', path: `/exec/${segment(id)}/start`, json: body }),
    startExecDetached: async (id, body) =>
      void (await done(transport, { method: 'POST', path: `/exec/${segment(id)}/start`, json: body })),
    resizeExec: async (id, size) => void (await post(`/exec/${segment(id)}/resize`, { h: size.rows, w: size.columns })),
    inspectExec: (id) => json(transport, { method: 'GET', path: `/exec/${segment(id)}/json` }),
    statPath: async (ref, at) => {
      const response = await transport.send({ method: 'HEAD', path: path(ref, '/archive'), query: { path: at } })
      response.resume()
      return readPathStat(response.headers['x-docker-container-path-stat'])
    },
    readPath: (ref, at) => transport.send({ method: 'GET', path: path(ref, '/archive'), query: { path: at } }),
    writePath: async (ref, at, tar, query) =>
      void (await done(transport, {
        method: 'PUT',
        path: path(ref, '/archive'),
        query: { path: at, ...query },
        stream: tar,
        contentType: 'application/x-tar',
      })),
    changes: async (ref) =>
      (await json<readonly DockerChange[] | null>(transport, { method: 'GET', path: path(ref, '/changes') })) ?? [],
    commit: async (ref, query) => {
      const made = await json<{ readonly Id: string }>(transport, {
        method: 'POST',
        path: '/commit',
        query: { container: ref, ...query },
        json: {},
      })
      return made.Id
    },
  }
}

async function readExit(response: IncomingMessage): Promise<DockerWait> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as DockerWait
  } catch (error) {
    throw clientError('client.connection_lost', 'the connection was lost while waiting for the container to end', {
      cause: error,
      hint: 'The container may still run: look with `glovebox ps`.',
    })
  }
}

/** Go's os.ModeDir. */
const MODE_DIRECTORY = 2 ** 31

function readPathStat(header: string | readonly string[] | undefined): PathStat {
  try {
    const stat: unknown = JSON.parse(Buffer.from(String(header), 'base64').toString('utf8'))
    const { mode, linkTarget } = stat as { readonly mode: number; readonly linkTarget: string }
    return { isDirectory: mode >= MODE_DIRECTORY, linkTarget }
  } catch (error) {
    throw clientError('client.bad_answer', 'the daemon did not say what lies at the path', { cause: error })
  }
}
