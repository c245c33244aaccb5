import { createHmac, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

import { limiter, type Random, type RecordStore } from '#base'

import { repositoryError } from '../errors.ts'
import { MAX_GRANTS, MAX_USERS } from '../limits.ts'
import { EVERYTHING, type Grant } from './grants.ts'

const derive = promisify<Buffer, Buffer, number, { N: number; r: number; p: number }, Buffer>(scrypt)

/** Some 50 ms and 16 MiB a guess (RFC 7914, section 2). */
const COST = { N: 16_384, r: 8, p: 1 }
const KEY_BYTES = 32

/** Passwords that were right lately are not derived anew for each request; more users than that at once are. */
const MAX_REMEMBERED = 1000

/** Guesses would else take all threads that the daemon reads and writes files with. */
const DERIVED_AT_ONCE = 1

/** Some three seconds of waiting; whoever comes then is told to come later. */
const MAX_WAITING = 64

/** The row that holds what anybody may do. No user can have the name. */
const ANYBODY = '*'
const USER_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/
const MIN_PASSWORD_LENGTH = 8

interface AccountRow {
  readonly salt: string
  readonly key: string
  readonly grants: readonly Grant[]
}

export interface Account {
  readonly name: string
  readonly grants: readonly Grant[]
}

/** Who may do what with the registry. */
export interface Accounts {
  list(): readonly Account[]
  /** Anybody may do everything: there is no user, and none is needed. */
  readonly isOpen: boolean
  /** Rights without a password. */
  anybody(): readonly Grant[]
  setAnybody(grants: readonly Grant[]): void
  /** Makes or changes a user; one that there is keeps its password without a new one. Error: `repository.user_invalid`. */
  put(name: string, password: string | undefined, grants: readonly Grant[]): Promise<void>
  /** Error: `repository.user_unknown`. */
  remove(name: string): void
  /** The user of a name and password; undefined when there is none such. Takes as long either way. Error: `repository.too_many_sign_ins`. */
  check(name: string, password: string): Promise<Account | undefined>
  find(name: string): Account | undefined
}

export interface AccountOptions {
  /** Anybody may do everything as long as there is no user: for a registry that only this machine reaches. */
  readonly isOpenWithoutUsers: boolean
}

export function openAccounts(records: RecordStore, random: Random, { isOpenWithoutUsers }: AccountOptions): Accounts {
  const table = records.table<AccountRow>('registry-users')
  const rows = new Map(table.entries())
  // Of this process alone, so that what is remembered is worth nothing elsewhere.
  const memoryKey = random.bytes(KEY_BYTES)
  const remembered = new Map<string, string>()
  const turns = limiter(DERIVED_AT_ONCE)
  let waiting = 0
  const deriveInTurn = async (password: string, salt: Buffer): Promise<Buffer> => {
    if (waiting >= MAX_WAITING)
      throw repositoryError('repository.too_many_sign_ins', `${MAX_WAITING} others are signing in already`, {
        hint: 'Try again in some seconds.',
      })
    waiting += 1
    try {
      return await turns.run(async () => await derive(Buffer.from(password), salt, KEY_BYTES, COST))
    } finally {
      waiting -= 1
    }
  }
  const users = () => [...rows].filter(([name]) => name !== ANYBODY)
  const keep = (name: string, row: AccountRow) => {
    table.put(name, row)
    rows.set(name, row)
    remembered.delete(name)
  }
  const find = (name: string): Account | undefined => {
    const row = name === ANYBODY ? undefined : rows.get(name)
    return row === undefined ? undefined : { name, grants: row.grants }
  }
  return {
    list: () => users().map(([name, { grants }]) => ({ name, grants })),
    get isOpen() {
      return isOpenWithoutUsers && users().length === 0
    },
    anybody: () => rows.get(ANYBODY)?.grants ?? (isOpenWithoutUsers && users().length === 0 ? EVERYTHING : []),
    setAnybody: (grants) => keep(ANYBODY, { salt: '', key: '', grants: bounded(grants) }),
    put: async (name, password, grants) => {
      if (!USER_NAME.test(name))
        throw refused(
          `the user name ${JSON.stringify(name.slice(0, 130))} is not valid`,
          'Use letters, digits, dots, dashes, underscores and @.',
        )
      const known = find(name) === undefined ? undefined : rows.get(name)
      if (password === undefined && known !== undefined) return keep(name, { ...known, grants: bounded(grants) })
      if (password === undefined) throw refused(`${name} is new and has no password`, 'Give one.')
      if (password.length < MIN_PASSWORD_LENGTH)
        throw refused(`the password of ${name} has ${password.length} characters`, `Give it at least ${MIN_PASSWORD_LENGTH}.`)
      if (!rows.has(name) && users().length >= MAX_USERS)
        throw refused(`there are ${MAX_USERS} users already`, 'Remove some first.')
      const salt = random.bytes(16)
      const key = await derive(Buffer.from(password), salt, KEY_BYTES, COST)
      keep(name, { salt: salt.toString('hex'), key: key.toString('hex'), grants: bounded(grants) })
    },
    remove: (name) => {
      if (find(name) === undefined) throw repositoryError('repository.user_unknown', `there is no user ${name}`)
      table.delete(name)
      rows.delete(name)
      remembered.delete(name)
    },
    check: async (name, password) => {
      const row = name === ANYBODY ? undefined : rows.get(name)
      const memory = createHmac('sha256', memoryKey).update(password).digest('hex')
      if (row !== undefined && remembered.get(name) === memory) return { name, grants: row.grants }
      const salt = row === undefined ? memoryKey : Buffer.from(row.salt, 'hex')
      const key = await deriveInTurn(password, salt)
      // The row may have changed meanwhile.
      if (row === undefined || rows.get(name) !== row || !timingSafeEqual(key, Buffer.from(row.key, 'hex'))) return undefined
      if (remembered.size >= MAX_REMEMBERED) remembered.clear()
      remembered.set(name, memory)
      return { name, grants: row.grants }
    },
    find,
  }
}

function bounded(grants: readonly Grant[]): readonly Grant[] {
  if (grants.length <= MAX_GRANTS) return grants
  throw refused(`${grants.length} grants for one user`, `Give at most ${MAX_GRANTS}; a pattern names many repositories.`)
}

function refused(why: string, hint: string) {
  return repositoryError('repository.user_invalid', why, { hint })
}
