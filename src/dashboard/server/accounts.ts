import type { Log } from '#base'
import type { Role, UserView } from '#dashboard/wire'

import type { Sessions } from './sessions.ts'
import type { Users } from './users.ts'

/** Users with what follows for their sessions: another password ends them. Changes are told in the log, with whoever made them. */
export interface Accounts {
  list(): readonly UserView[]
  /** Errors: those of `Users`. */
  put(
    name: string,
    change: { readonly role?: Role | undefined; readonly password?: string | undefined },
    by: string,
  ): Promise<UserView>
  remove(name: string, by: string): void
}

export function createAccounts({
  users,
  sessions,
  log,
}: {
  readonly users: Users
  readonly sessions: Sessions
  readonly log: Log
}): Accounts {
  const viewOf = ({ name, role, changedAtMs }: ReturnType<Users['list']>[number]): UserView => ({
    name,
    role,
    changedAtMs,
    sessions: sessions.countOf(name),
  })
  return {
    list: () => users.list().map(viewOf),
    put: async (name, change, by) => {
      const user = await users.put(name, change)
      if (change.password !== undefined) sessions.endAllOf(name)
      log.info('a user of the dashboard was changed', {
        user: name,
        role: user.role,
        hasNewPassword: change.password !== undefined,
        by,
      })
      return viewOf(user)
    },
    remove: (name, by) => {
      users.remove(name)
      sessions.endAllOf(name)
      log.info('a user of the dashboard was removed', { user: name, by })
    },
  }
}
