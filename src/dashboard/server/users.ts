import type { Clock, Random, RecordStore } from '#base'
import type { Role } from '#dashboard/wire'

import { dashboardError } from './errors.ts'
import { createPasswords, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, type PasswordCost, type PasswordRow } from './passwords.ts'

/** Everybody who works with one cluster; all are listed on one page. */
const MAX_USERS = 1000
const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/

interface UserRow {
  readonly role: Role
  readonly password: PasswordRow
  readonly changedAtMs: number
}

export interface User {
  readonly name: string
  readonly role: Role
  readonly changedAtMs: number
}

/** Who may sign in, and what they may do then. */
export interface Users {
  /** By name. */
  list(): readonly User[]
  find(name: string): User | undefined
  /** Makes or changes a user. A new one needs both. Errors: `dashboard.user_invalid`. */
  put(name: string, change: { readonly role?: Role | undefined; readonly password?: string | undefined }): Promise<User>
  /** Error: `dashboard.user_unknown`. */
  remove(name: string): void
  /** undefined: no such user, or another password; takes as long either way. Error: `dashboard.too_many_sign_ins`. */
  check(name: string, password: string): Promise<User | undefined>
}

export interface UsersNeeds {
  readonly records: RecordStore
  readonly passwordCost: PasswordCost
  readonly random: Random
  readonly clock: Clock
}

export function openUsers(of: UsersNeeds): Users {
  const table = of.records.table<UserRow>('dashboard-users')
  const passwords = createPasswords(of.random, of.passwordCost)
  const find = (name: string): User | undefined => {
    const row = table.get(name)
    return row === undefined ? undefined : viewOf(name, row)
  }
  return {
    list: () =>
      table
        .entries()
        .map(([name, row]) => viewOf(name, row))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    find,
    put: async (name, { role, password }) => {
      if (!USER_NAME.test(name))
        throw invalid(
          `the user name ${JSON.stringify(name.slice(0, 80))} is not valid`,
          'Use up to 64 letters, digits, dots, dashes, underscores and @, and begin with a letter or digit.',
        )
      if (password !== undefined) checkLength(name, password)
      const made = password === undefined ? undefined : await passwords.hash(password)
      // Only now: the row may have changed while the password was hashed.
      const known = table.get(name)
      if (known === undefined && table.entries().length >= MAX_USERS)
        throw invalid(`there are ${MAX_USERS} users already`, 'Remove some first.')
      const next = { role: role ?? known?.role, password: made ?? known?.password }
      if (next.role === undefined) throw invalid(`${name} is new and has no role`, 'Give one: viewer, operator or admin.')
      if (next.password === undefined) throw invalid(`${name} is new and has no password`, 'Give one.')
      const row: UserRow = { role: next.role, password: next.password, changedAtMs: of.clock.nowMs() }
      table.put(name, row)
      return viewOf(name, row)
    },
    remove: (name) => {
      if (find(name) === undefined) throw dashboardError('dashboard.user_unknown', `there is no user ${name.slice(0, 80)}`)
      table.delete(name)
    },
    check: async (name, password) => {
      const row = USER_NAME.test(name) ? table.get(name) : undefined
      const isRight = await passwords.isRight(password.slice(0, MAX_PASSWORD_LENGTH), row?.password)
      // The user may have gone, or have another password by now.
      return isRight && row !== undefined && table.get(name)?.password.key === row.password.key ? find(name) : undefined
    },
  }
}

function viewOf(name: string, { role, changedAtMs }: UserRow): User {
  return { name, role, changedAtMs }
}

function checkLength(name: string, password: string): void {
  if (password.length < MIN_PASSWORD_LENGTH)
    throw invalid(`the password of ${name} has ${password.length} characters`, `Give it at least ${MIN_PASSWORD_LENGTH}.`)
  if (password.length > MAX_PASSWORD_LENGTH)
    throw invalid(`the password of ${name} has ${password.length} characters`, `Give it at most ${MAX_PASSWORD_LENGTH}.`)
}

function invalid(message: string, hint: string) {
  return dashboardError('dashboard.user_invalid', message, { hint })
}
