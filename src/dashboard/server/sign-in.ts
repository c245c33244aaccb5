import type { IncomingMessage, ServerResponse } from 'node:http'

import { readJson, sendEmpty, sendJson, type JsonObject } from '#api/http'
import type { Log } from '#base'
import type { SessionView, SignedIn } from '#dashboard/wire'

import type { Attempts } from './attempts.ts'
import type { Caller } from './caller.ts'
import type { SessionCookie } from './cookies.ts'
import { dashboardError } from './errors.ts'
import type { Links } from './links.ts'
import { ABSOLUTE_MS, type Sessions } from './sessions.ts'
import type { Users } from './users.ts'

/** No user can have this name: it has a space. */
const LOCAL_USER = 'local administrator'
const SECOND = 1000

export interface SignInNeeds {
  readonly users: Users
  readonly sessions: Sessions
  readonly attempts: Attempts
  readonly links: Links
  readonly cookie: SessionCookie
  readonly place: Pick<SessionView, 'instance' | 'host' | 'version'>
  readonly log: Log
}

/** `POST /session`. Errors: `dashboard.sign_in_refused`, `dashboard.too_many_sign_ins`. */
export async function signIn(request: IncomingMessage, response: ServerResponse, needs: SignInNeeds): Promise<void> {
  const body = await readJson(request)
  const [name, password] = [text(body, 'user'), text(body, 'password')]
  const address = request.socket.remoteAddress ?? ''
  refuseGuessing(needs, address, name)
  const user = await needs.users.check(name, password)
  if (user === undefined) {
    needs.attempts.failed(address, name)
    needs.log.warn('a sign-in to the dashboard was refused', { user: name.slice(0, 64), address })
    throw dashboardError('dashboard.sign_in_refused', 'there is no such user, or the password is another one')
  }
  begin(response, needs, { user: user.name, isLocal: false, address })
}

/** `POST /session/link`. Error: `dashboard.sign_in_refused`. */
export async function signInByLink(request: IncomingMessage, response: ServerResponse, needs: SignInNeeds): Promise<void> {
  const body = await readJson(request)
  const address = request.socket.remoteAddress ?? ''
  refuseGuessing(needs, address, LOCAL_USER)
  if (!needs.links.take(text(body, 'token'))) {
    needs.attempts.failed(address, LOCAL_USER)
    throw dashboardError('dashboard.sign_in_refused', 'the link was used already, or is too old', {
      hint: 'Make another one: glovebox dashboard open.',
    })
  }
  begin(response, needs, { user: LOCAL_USER, isLocal: true, address })
}

/** `POST /session/password`: of the caller himself; all other sessions of his end. */
export async function changePassword(
  request: IncomingMessage,
  response: ServerResponse,
  caller: Caller,
  needs: SignInNeeds,
): Promise<void> {
  const body = await readJson(request)
  if (caller.isLocal) throw dashboardError('dashboard.request_invalid', 'who came by a link has no password')
  const address = request.socket.remoteAddress ?? ''
  refuseGuessing(needs, address, caller.user)
  if ((await needs.users.check(caller.user, text(body, 'from'))) === undefined) {
    needs.attempts.failed(address, caller.user)
    throw dashboardError('dashboard.sign_in_refused', 'the password is another one')
  }
  await needs.users.put(caller.user, { password: text(body, 'to') })
  needs.sessions.endAllOf(caller.user, caller.sessionId)
  needs.log.info('a user of the dashboard has changed the password', { user: caller.user, address })
  sendEmpty(response, 204)
}

function refuseGuessing({ attempts }: SignInNeeds, address: string, name: string): void {
  const waitMs = attempts.waitMs(address, name)
  if (waitMs === 0) return
  throw dashboardError('dashboard.too_many_sign_ins', 'too many wrong passwords', {
    hint: `Try again in ${Math.ceil(waitMs / SECOND)} seconds.`,
  })
}

function begin(
  response: ServerResponse,
  { sessions, cookie, users, place, log }: SignInNeeds,
  of: { readonly user: string; readonly isLocal: boolean; readonly address: string },
): void {
  const { token, proof, session } = sessions.begin(of)
  log.info('signed in to the dashboard', { user: of.user, address: of.address })
  response.setHeader('Set-Cookie', cookie.set(token, ABSOLUTE_MS / SECOND))
  const role = of.isLocal ? 'admin' : (users.find(of.user)?.role ?? 'viewer')
  const answer: SignedIn = { user: session.user, role, isLocal: session.isLocal, ...place, proof }
  sendJson(response, 200, answer)
}

/** Error: `dashboard.request_invalid`. */
export function text(body: JsonObject, name: string): string {
  const value = body[name]
  if (typeof value === 'string' && value !== '') return value
  throw dashboardError('dashboard.request_invalid', `${name} is missing`)
}
