import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import { sendEmpty, sendJson, type HttpApi } from '#api/http'
import type { SessionView } from '#dashboard/wire'

import type { Accounts } from './accounts.ts'
import { answerError, statusOf } from './answer-error.ts'
import type { Assets } from './assets.ts'
import { demandRole, PROOF_HEADER, type Caller, type Callers } from './caller.ts'
import { DOCKER_PREFIX, findDoor } from './doors.ts'
import { dashboardError } from './errors.ts'
import { setSecurityHeaders } from './headers.ts'
import type { LiveHub } from './live/hub.ts'
import { streamLive } from './live/stream.ts'
import { refuseOtherOrigins } from './origin.ts'
import type { DashboardNeeds } from './ports.ts'
import { changePassword, signIn, signInByLink, type SignInNeeds } from './sign-in.ts'
import { joinTerminal, proofOf, terminalSize } from './terminal.ts'
import { answerUsers } from './user-routes.ts'
import { answerVerb } from './verbs.ts'

export interface ServeNeeds
  extends SignInNeeds, Pick<DashboardNeeds, 'docker' | 'ours' | 'vouch' | 'operations' | 'terminals' | 'clock'> {
  readonly accounts: Accounts
  readonly callers: Callers
  readonly assets: Assets
  readonly hub: LiveHub
}

/** Streams and terminals of all browsers together. Each costs a socket and up to some megabytes when its reader is slow. */
const MAX_STREAMS = 64

/** What a browser speaks to. Never throws and never rejects. */
export function dashboardApi(needs: ServeNeeds): HttpApi {
  let streams = 0
  const countStream = (socket: { once(event: 'close', then: () => void): unknown }) => {
    if (streams >= MAX_STREAMS)
      throw dashboardError('dashboard.too_many_streams', `${MAX_STREAMS} pages and terminals are open already`, {
        hint: 'Close some.',
      })
    streams += 1
    socket.once('close', () => (streams -= 1))
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    setSecurityHeaders(response)
    try {
      await route(request, response, { ...needs, countStream })
    } catch (error) {
      answerError(response, error, needs.log)
      if (!request.readableEnded) request.resume()
    }
  }
  return {
    handleRequest: (request, response) => void answer(request, response),
    wantsUpgrade: () => true,
    handleUpgrade: (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      upgrade(request, socket, head, { ...needs, countStream }).catch((error: unknown) => refuseUpgrade(socket, error))
    },
  }
}

interface Routing extends ServeNeeds {
  readonly countStream: (socket: { once(event: 'close', then: () => void): unknown }) => void
}

async function route(request: IncomingMessage, response: ServerResponse, needs: Routing): Promise<void> {
  const { path, query } = readUrl(request)
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (isReading && (await needs.assets.serve(path, request, response))) return
  refuseOtherOrigins(request, { mustSay: !isReading })
  if (request.method === 'POST' && path === '/session') return await signIn(request, response, needs)
  if (request.method === 'POST' && path === '/session/link') return await signInByLink(request, response, needs)
  const proof = request.headers[PROOF_HEADER]
  const caller = needs.callers.callerOf(request, typeof proof === 'string' ? proof : '', { isUse: path !== '/live' })
  if (path === '/session' || path.startsWith('/session/')) return await answerSession(request, response, caller, needs, path)
  if (path === '/live' && request.method === 'GET') {
    needs.countStream(response)
    const { sessions, callers, hub, clock } = needs
    const isAllowed = () => callers.isStill(caller)
    return streamLive(response, { hub, clock, isAllowed, onEnd: (then) => sessions.onEnd(caller.sessionId, then) })
  }
  if (path === '/users' || path.startsWith('/users/')) {
    demandRole(caller, 'admin')
    const name = nameIn(path, '/users/')
    return await answerUsers(request, response, { accounts: needs.accounts, name, by: caller.user })
  }
  if (request.method === 'POST' && path.startsWith('/services/'))
    return await answerVerb(request, response, { name: nameIn(path, '/services/'), caller, needs })
  throughDoor(request, response, { caller, needs, path, query })
}

async function answerSession(
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
  needs: Routing,
  path: string,
): Promise<void> {
  const { user, role, isLocal } = caller
  switch (`${request.method} ${path}`) {
    case 'GET /session':
      return sendJson(response, 200, { user, role, isLocal, ...needs.place } satisfies SessionView)
    case 'DELETE /session':
      needs.sessions.end(caller.sessionId)
      response.setHeader('Set-Cookie', needs.cookie.clear())
      return sendEmpty(response, 204)
    case 'POST /session/password':
      return await changePassword(request, response, caller, needs)
    default:
      throw unknown(request, path)
  }
}

/** Hands a request that the caller may make to the API that it is for. What changes something is told in the log. */
function throughDoor(
  request: IncomingMessage,
  response: ServerResponse,
  {
    caller,
    needs,
    path,
    query,
  }: { readonly caller: Caller; readonly needs: Routing; readonly path: string; readonly query: string },
): void {
  const door = findDoor(request.method ?? '', path)
  if (door === undefined) throw unknown(request, path)
  demandRole(caller, door.role)
  if (request.method !== 'GET')
    response.once('finish', () =>
      needs.log.info('done from the dashboard', { user: caller.user, method: request.method, path, status: response.statusCode }),
    )
  needs.vouch(request, caller.user)
  if (!path.startsWith(`${DOCKER_PREFIX}/`)) return void needs.ours.handle(request, response)
  request.url = `${path.slice(DOCKER_PREFIX.length)}${query}`
  needs.docker.handleRequest(request, response)
}

async function upgrade(request: IncomingMessage, socket: Socket, head: Buffer, needs: Routing): Promise<void> {
  const { path, query } = readUrl(request)
  refuseOtherOrigins(request, { mustSay: true })
  const caller = needs.callers.callerOf(request, proofOf(request), { isUse: true })
  if (path !== '/terminal') throw unknown(request, path)
  demandRole(caller, 'operator')
  needs.countStream(socket)
  const words = new URLSearchParams(query)
  const container = words.get('container') ?? ''
  const size = terminalSize(Number(words.get('columns')), Number(words.get('rows'))) ?? { columns: 80, rows: 24 }
  needs.log.info('opened a terminal from the dashboard', { user: caller.user, container })
  const onEnd = (then: () => void) => needs.sessions.onEnd(caller.sessionId, then)
  await joinTerminal({ request, socket, head }, needs.terminals, { container, size, onEnd, clock: needs.clock })
}

function refuseUpgrade(socket: Socket, error: unknown): void {
  const status = statusOf(error)
  if (socket.writable) socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** What the APIs behind the doors read otherwise than we do: dots and double slashes that are folded, backslashes that count as slashes. */
function isPlain(path: string): boolean {
  return /^\/[\w.~%!$&'()*+,;=:@/-]*$/.test(path) && !path.includes('//') && !path.split('/').some((part) => DOTS.test(part))
}

const DOTS = /^(?:\.|%2e){1,2}$/i

/** Paths are compared as they came; what is behind the question mark is kept with it. */
function readUrl({ url = '/' }: IncomingMessage): { readonly path: string; readonly query: string } {
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  if (!isPlain(path)) throw dashboardError('dashboard.page_unknown', 'the path leads nowhere')
  return { path, query: at < 0 ? '' : url.slice(at) }
}

function nameIn(path: string, prefix: string): string {
  try {
    return decodeURIComponent(path.slice(prefix.length))
  } catch (error) {
    throw dashboardError('dashboard.request_invalid', 'the path has a broken escape', { cause: error })
  }
}

function unknown(request: IncomingMessage, path: string) {
  return dashboardError('dashboard.page_unknown', `there is nothing at ${request.method} ${path.slice(0, 200)}`)
}
