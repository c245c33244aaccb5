import type { Clock, Random } from '#base'

import { hashOf } from './sessions.ts'

/** Long enough to switch windows and paste, too short to be found in a history. */
export const LINK_MS = 5 * 60_000
/** Who asks for more has the socket, and with it everything anyway. */
const MAX_LINKS = 32
const TOKEN_BYTES = 32

/** Links that sign the local administrator in once. They live in memory: a restart ends them. */
export interface Links {
  make(): { readonly token: string; readonly expiresAtMs: number }
  /** True once for each that was made and is fresh. */
  take(token: string): boolean
}

export function createLinks(clock: Clock, random: Random): Links {
  const open = new Map<string, number>()
  return {
    make: () => {
      const token = random.bytes(TOKEN_BYTES).toString('hex')
      const expiresAtMs = clock.nowMs() + LINK_MS
      open.set(hashOf(token), expiresAtMs)
      const [oldest] = open.keys()
      if (open.size > MAX_LINKS && oldest !== undefined) open.delete(oldest)
      return { token, expiresAtMs }
    },
    take: (token) => {
      const expiresAtMs = open.get(hashOf(token))
      open.delete(hashOf(token))
      return expiresAtMs !== undefined && clock.nowMs() < expiresAtMs
    },
  }
}
