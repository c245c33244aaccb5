import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import { messageOf, type Clock, type Log } from '#base'
import {
  createRouter,
  httpError,
  messageFor,
  observeAnswer,
  readQuery,
  sendEmpty,
  sendJson,
  type HttpApi,
  type Matched,
  type ObserveRequest,
} from '#api/http'

import type { Call, DockerRoute, RouteContext } from './call.ts'
import type { DockerApiEngine } from './engine.ts'
import { dockerRoutes } from './routes/table.ts'
import { strayBytes } from './stray-bytes.ts'
import { API_VERSION, splitVersion } from './version.ts'
import { dockerStatusOf, inDockerWords } from './words.ts'

export interface DockerApiOptions {
  readonly engine: DockerApiEngine
  readonly clock: Clock
  readonly log: Log
  /** Absent: nobody counts. */
  readonly observe?: ObserveRequest
}

/** The Docker Engine API over an engine. Never throws and never rejects: what goes wrong ends as an answer or as a closed connection. */
export function createDockerApi(options: DockerApiOptions): HttpApi {
  const context: RouteContext = options
  const find = createRouter(dockerRoutes())
  const stray = strayBytes()
  const server = `Glovebox/${options.engine.system.version().version} (linux)`

  const run = async (
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: { readonly socket: Socket; readonly head: Buffer } | null,
  ): Promise<void> => {
    response.setHeader('Api-Version', API_VERSION)
    response.setHeader('Docker-Experimental', 'false')
    response.setHeader('Ostype', 'linux')
    response.setHeader('Server', server)
    try {
      // What may be asked for here is in no header: as dockerd, which answers to keep web clients going.
      if (request.method === 'OPTIONS') return sendEmpty(response, 200)
      const { route, params, minor, search } = resolve(find, request)
      observeRoute(route, response, upgrade !== null, options)
      if (route.isHijacked === true && upgrade === null && response.socket !== null) stray.expect(request, response.socket)
      const query = readQuery(search)
      await route.handle(callOf({ request, response, params, query, minor, upgrade, takeStrayBytes: stray.take }), context)
    } catch (error) {
      answerError(request, response, inDockerWords(error), options.log)
    }
  }

  return {
    handleRequest: (request, response) => void run(request, response, null),
    handleUpgrade: (request, socket, head) => {
      const response = new ServerResponse(request)
      response.assignSocket(socket)
      response.shouldKeepAlive = false
      response.once('finish', () => socket.end())
      void run(request, response, { socket, head })
    },
    takesStrayBytes: stray.keep,
    wantsUpgrade: (request) => {
      try {
        return resolve(find, request).route.isHijacked === true
      } catch {
        // An unknown route answers as an ordinary request.
        return false
      }
    },
  }
}

/** Followed for as long as the client likes. */
const FOLLOWED = /\/(?:events|wait|logs|stats)$/

function observeRoute(
  route: DockerRoute,
  response: ServerResponse,
  isUpgraded: boolean,
  { observe, clock }: DockerApiOptions,
): void {
  if (observe === undefined) return
  const operation = `${route.method} ${route.path}`
  // A connection that is taken over has no end of an answer.
  if (isUpgraded) return observe(operation, SWITCHED, null)
  const isTimed = route.isHijacked !== true && !FOLLOWED.test(route.path)
  observeAnswer(response, { operation, startedMs: clock.monotonicMs(), clock, isTimed, observe })
}

const SWITCHED = 101

function resolve(
  find: (method: string, path: string) => Matched<DockerRoute> | undefined,
  request: IncomingMessage,
): Matched<DockerRoute> & { readonly minor: number; readonly search: string } {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const { minor, path } = splitVersion(mark === -1 ? url : url.slice(0, mark))
  const found = find(request.method ?? 'GET', path)
  if (found === undefined) throw httpError('http.route_unknown', 'page not found')
  return { ...found, minor, search: mark === -1 ? '' : url.slice(mark + 1) }
}

/** The signal is made on first use: most requests are answered before anybody asks whether the client is still there. */
function callOf(parts: Omit<Call, 'signal'>): Call {
  let controller: AbortController | undefined
  const { response } = parts
  const makeSignal = () => {
    const made = new AbortController()
    if (response.destroyed) made.abort()
    response.once('close', () => {
      if (!response.writableFinished) made.abort()
    })
    return made
  }
  const signal = { get: () => (controller ??= makeSignal()).signal }
  return Object.defineProperty({ ...parts }, 'signal', signal) as Call
}

function answerError(request: IncomingMessage, response: ServerResponse, error: unknown, log: Log): void {
  const status = dockerStatusOf(error)
  if (status === 500) log.error('a request failed', { method: request.method, url: request.url, error: messageOf(error) })
  if (response.headersSent || response.destroyed || response.socket === null) {
    // Too late for a status: the only honest sign left is a connection that ends early.
    response.destroy()
    return
  }
  for (const name of ['Content-Type', 'Content-Length']) response.removeHeader(name)
  sendJson(response, status, { message: messageFor(error) })
  // What the client still sends of its body is read and dropped, so that it gets to read the answer.
  if (!request.readableEnded) request.resume()
}
