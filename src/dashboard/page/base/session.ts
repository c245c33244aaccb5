import type { Role, SessionView, SignedIn } from '#dashboard/wire'

import type { Http } from './http.ts'
import { createValue, type Value } from './value.ts'

/** undefined: not known yet; null: nobody. */
export type Who = SessionView | null | undefined

/** Who is signed in, in this browser. */
export interface Session {
  readonly who: Value<Who>
  /** Asks the daemon whether what was kept is still good. */
  resume(): Promise<void>
  /** Errors: those of the call. */
  signIn(user: string, password: string): Promise<void>
  enter(token: string): Promise<void>
  signOut(): Promise<void>
}

const ORDER: readonly Role[] = ['viewer', 'operator', 'admin']

export function may(who: Who, needed: Role): boolean {
  return who !== null && who !== undefined && ORDER.indexOf(who.role) >= ORDER.indexOf(needed)
}

export function createSession(http: Http): Session {
  const who = createValue<Who>(undefined)
  const take = ({ proof, ...view }: SignedIn) => {
    http.keepProof(proof)
    who.set(view)
  }
  http.onSignedOut(() => who.set(null))
  return {
    who,
    resume: async () => {
      if (!http.hasProof()) return who.set(null)
      who.set(await http.json<SessionView>('GET', '/session').catch(() => null))
    },
    signIn: async (user, password) => take(await http.json<SignedIn>('POST', '/session', { user, password })),
    enter: async (token) => take(await http.json<SignedIn>('POST', '/session/link', { token })),
    signOut: async () => {
      await http.json('DELETE', '/session').catch(() => undefined)
      http.keepProof(null)
      who.set(null)
    },
  }
}
