import type { IncomingMessage } from 'node:http'

import type { Role } from '#dashboard/wire'

import type { SessionCookie } from './cookies.ts'
import { dashboardError } from './errors.ts'
import { includes } from './roles.ts'
import type { Sessions } from './sessions.ts'
import type { Users } from './users.ts'

/** The header that carries the half of a session that a page holds. */
export const PROOF_HEADER = 'x-glovebox-proof'

/** Who sent a request. */
export interface Caller {
  readonly sessionId: string
  readonly user: string
  readonly role: Role
  readonly isLocal: boolean
}

export interface Callers {
  /** Error: `dashboard.signed_out`. */
  callerOf(request: IncomingMessage, proof: string, options: { readonly isUse: boolean }): Caller
  /** Whether the session lasts and its user still has this role. */
  isStill(caller: Caller): boolean
}

/** A user's role is looked up each time: one that is taken away is gone with the next request. */
export function createCallers(of: {
  readonly users: Users
  readonly sessions: Sessions
  readonly cookie: SessionCookie
}): Callers {
  const roleOf = (user: string, isLocal: boolean): Role | undefined => (isLocal ? 'admin' : of.users.find(user)?.role)
  return {
    callerOf: (request, proof, { isUse }) => {
      const token = of.cookie.read(request)
      const session = token === undefined ? undefined : of.sessions.find(token, proof, isUse)
      const role = session === undefined ? undefined : roleOf(session.user, session.isLocal)
      if (session === undefined || role === undefined) throw dashboardError('dashboard.signed_out', 'nobody is signed in')
      return { sessionId: session.id, user: session.user, role, isLocal: session.isLocal }
    },
    isStill: ({ sessionId, user, isLocal, role }) => of.sessions.isAlive(sessionId) && roleOf(user, isLocal) === role,
  }
}

/** Error: `dashboard.role_too_low`. */
export function demandRole(caller: Caller, needed: Role): void {
  if (includes(caller.role, needed)) return
  throw dashboardError('dashboard.role_too_low', `${caller.user} is ${caller.role}, and this takes ${needed}`, {
    hint: 'An administrator can change the role.',
  })
}
