import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

import { limiter, type Random } from '#base'

import { dashboardError } from './errors.ts'

const derive = promisify<Buffer, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

/** What a guess costs (RFC 7914, section 2). */
export interface PasswordCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** Some 200 ms and 32 MiB. Kept with each password, so that it can rise. */
export const PASSWORD_COST: PasswordCost = { N: 32_768, r: 8, p: 2 }
const MAX_MEMORY_BYTES = 128 * 1024 * 1024
const KEY_BYTES = 32
const SALT_BYTES = 16

/** Guesses would else take all threads that the daemon reads and writes files with. */
const DERIVED_AT_ONCE = 1
/** Some three seconds of waiting; whoever comes then is told to come later. */
const MAX_WAITING = 16

export const MIN_PASSWORD_LENGTH = 10
/** Longer ones only cost time. */
export const MAX_PASSWORD_LENGTH = 1024

export interface PasswordRow {
  readonly salt: string
  readonly key: string
  readonly cost: PasswordCost
}

export interface Passwords {
  hash(password: string): Promise<PasswordRow>
  /** Without a row: false, after as long a time. Error: `dashboard.too_many_sign_ins`. */
  isRight(password: string, row: PasswordRow | undefined): Promise<boolean>
}

export function createPasswords(random: Random, cost: PasswordCost): Passwords {
  const turns = limiter(DERIVED_AT_ONCE)
  const nobody: PasswordRow = {
    salt: random.bytes(SALT_BYTES).toString('hex'),
    key: random.bytes(KEY_BYTES).toString('hex'),
    cost,
  }
  let waiting = 0
  const keyOf = async (password: string, salt: Buffer, of: PasswordCost): Promise<Buffer> =>
    await derive(Buffer.from(password), salt, KEY_BYTES, { ...of, maxmem: MAX_MEMORY_BYTES })
  return {
    hash: async (password) => {
      const salt = random.bytes(SALT_BYTES)
      const key = await turns.run(async () => await keyOf(password, salt, cost))
      return { salt: salt.toString('hex'), key: key.toString('hex'), cost }
    },
    isRight: async (password, row) => {
      if (waiting >= MAX_WAITING)
        throw dashboardError('dashboard.too_many_sign_ins', `${MAX_WAITING} others are signing in already`, {
          hint: 'Try again in some seconds.',
        })
      waiting += 1
      try {
        const against = row ?? nobody
        const key = await turns.run(async () => await keyOf(password, Buffer.from(against.salt, 'hex'), against.cost))
        return timingSafeEqual(key, Buffer.from(against.key, 'hex')) && row !== undefined
      } finally {
        waiting -= 1
      }
    },
  }
}
