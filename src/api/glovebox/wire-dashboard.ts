/** What a user may do: look, work on what runs, or everything. Each includes the ones before. */
export type DashboardRole = 'viewer' | 'operator' | 'admin'

/** Answer of `GET /glovebox/v1/dashboard`. */
export interface DashboardStatus {
  /** `http://127.0.0.1:7070`; null: it does not listen. */
  readonly address: string | null
}

/** Answer of `POST /glovebox/v1/dashboard/open`: a link that signs in once, as an administrator. */
export interface DashboardLink {
  readonly url: string
  readonly expiresAtMs: number
}

/** One of `GET /glovebox/v1/dashboard/users`. */
export interface DashboardUser {
  readonly name: string
  readonly role: DashboardRole
  /** Browsers that are signed in. */
  readonly sessions: number
  readonly changedAtMs: number
}

/** Body of `PUT /glovebox/v1/dashboard/users/{name}`; a new user needs both. */
export interface DashboardUserChange {
  readonly role?: DashboardRole
  readonly password?: string
}
