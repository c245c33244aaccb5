import type { DashboardLink, DashboardStatus, DashboardUser, DashboardUserChange } from '#api/glovebox'

import { json, segment } from './call.ts'
import type { Transport } from './transport.ts'

/** Who may sign in to the dashboard, and links for the local administrator. */
export interface DashboardCalls {
  status(): Promise<DashboardStatus>
  /** Has it listen where it does not yet. */
  open(): Promise<DashboardLink>
  users(): Promise<readonly DashboardUser[]>
  putUser(name: string, change: DashboardUserChange): Promise<void>
  removeUser(name: string): Promise<void>
}

const BASE = '/glovebox/v1/dashboard'

export function dashboardCalls(transport: Transport): DashboardCalls {
  const userPath = (name: string) => `${BASE}/users/${segment(name)}`
  return {
    status: () => json(transport, { method: 'GET', path: BASE }),
    open: () => json(transport, { method: 'POST', path: `${BASE}/open` }),
    users: () => json(transport, { method: 'GET', path: `${BASE}/users` }),
    putUser: async (name, change) => void (await json(transport, { method: 'PUT', path: userPath(name), json: change })),
    removeUser: async (name) => void (await json(transport, { method: 'DELETE', path: userPath(name) })),
  }
}
