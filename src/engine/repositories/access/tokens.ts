import { createHmac, timingSafeEqual } from 'node:crypto'

import type { Clock, Random, RecordStore } from '#base'

import type { Action } from './grants.ts'

/** As long as the reference server's: a push of hours asks again with each request that is refused. */
const LIFE_S = 300
const KEY_BYTES = 32

/** What a bearer may do: repositories with actions, as granted when the token was made. */
export interface TokenAccess {
  readonly name: string
  readonly actions: readonly Action[]
}

export interface Token {
  readonly user: string
  readonly access: readonly TokenAccess[]
  /** May list all repositories that the user can pull. */
  readonly isCatalogAllowed: boolean
}

export interface IssuedToken {
  readonly text: string
  readonly expiresInS: number
  readonly issuedAtMs: number
}

/** Bearer tokens (docs.docker.com, "Token authentication specification"): signed by this registry for itself alone. */
export interface Tokens {
  issue(token: Token): IssuedToken
  /** Undefined for anything that this registry did not sign or that has run out. */
  read(text: string): Token | undefined
}

interface Payload extends Token {
  /** Seconds since 1970. */
  readonly expiresAtS: number
}

export function createTokens(records: RecordStore, random: Random, clock: Clock): Tokens {
  const table = records.table<string>('registry-keys')
  const known = table.get('tokens')
  const key = known === undefined ? random.bytes(KEY_BYTES) : Buffer.from(known, 'hex')
  if (known === undefined) table.put('tokens', key.toString('hex'))
  const sign = (body: string) => createHmac('sha256', key).update(body).digest()
  return {
    issue: (token) => {
      const issuedAtMs = clock.nowMs()
      const payload: Payload = { ...token, expiresAtS: Math.floor(issuedAtMs / 1000) + LIFE_S }
      const body = Buffer.from(JSON.stringify(payload)).toString('base64url')
      return { text: `${body}.${sign(body).toString('base64url')}`, expiresInS: LIFE_S, issuedAtMs }
    },
    read: (text) => {
      const [body = '', signature = '', ...more] = text.split('.')
      const given = Buffer.from(signature, 'base64url')
      const right = sign(body)
      if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return undefined
      // Signed by us: the shape is ours.
      const payload = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Payload
      return payload.expiresAtS * 1000 < clock.nowMs() ? undefined : payload
    },
  }
}
