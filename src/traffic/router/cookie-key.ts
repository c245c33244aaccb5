import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { systemCodeOf, type Random } from '#base'

/** The secret of sticky cookies: made once, and kept while the proxy's directory is there, so that clients find their tasks after a reload. */
export function cookieKey(path: string, random: Random): string {
  try {
    const known = readFileSync(path, 'utf8')
    if (/^[0-9a-f]{32}$/.test(known)) return known
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error
  }
  const made = random.bytes(16).toString('hex')
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, made, { mode: 0o600 })
  return made
}
