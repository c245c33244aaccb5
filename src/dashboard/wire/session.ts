import type { DashboardRole, DashboardUser } from '#api/glovebox'

export type Role = DashboardRole

/** One of `GET /users`. */
export type UserView = DashboardUser

/** Body of `POST /session`. */
export interface SignIn {
  readonly user: string
  readonly password: string
}

/** Body of `POST /session/link`: what a one-time link carries behind its `#`. */
export interface LinkSignIn {
  readonly token: string
}

/** Answer of both, and of `GET /session` without the proof. */
export interface SessionView {
  readonly user: string
  readonly role: Role
  /** Signed in by a link of the local administrator's: there is no password to change. */
  readonly isLocal: boolean
  /** Name of the daemon's instance, and of the machine. */
  readonly instance: string
  readonly host: string
  readonly version: string
}

export interface SignedIn extends SessionView {
  /** Goes with each request in `X-Glovebox-Proof`: a cookie alone opens nothing. */
  readonly proof: string
}

/** Body of `POST /session/password`. */
export interface PasswordChange {
  readonly from: string
  readonly to: string
}
