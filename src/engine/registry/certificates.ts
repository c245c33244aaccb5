import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'

import { systemCodeOf } from '#base'

/**
 * `certs.d/HOST:PORT` as Docker lays it out: every `*.crt` is an authority that is trusted for this host besides those of the system, and
 * `NAME.cert` with `NAME.key` signs us in. Read anew for each transfer, so that a change needs no restart.
 */
export async function certificatesOf(directory: string, host: string): Promise<SecureContext | undefined> {
  const files = list(join(directory, host))
  const read = (name: string) => readFileSync(join(directory, host, name), 'utf8')
  const authorities = files.filter((name) => name.endsWith('.crt')).map(read)
  const pairs = files.filter((name) => name.endsWith('.cert') && files.includes(keyOf(name)))
  if (authorities.length === 0 && pairs.length === 0) return undefined
  const { createSecureContext, getCACertificates } = await import('node:tls')
  return createSecureContext({
    ca: [...getCACertificates('default'), ...authorities],
    cert: pairs.map(read),
    key: pairs.map((name) => read(keyOf(name))),
  })
}

function keyOf(certificate: string): string {
  return certificate.replace(/\.cert$/, '.key')
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).toSorted()
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return []
    throw error
  }
}
