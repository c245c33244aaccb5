import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { run } from '../support/processes.ts'

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=anna']

/** Directories for DOCKER_CERT_PATH whose certificates are no good, beside the good one that `glovebox daemon certificates` made in `directory`. */
export async function oddCertificates(directory: string): Promise<void> {
  const ca = { cert: join(directory, 'ca.pem'), key: join(directory, 'ca-key.pem') }
  const other = await selfSigned(directory, 'other')
  await sign(directory, 'foreign', { ca: other, usage: 'clientAuth', days: 2 })
  await sign(directory, 'expired', { ca, usage: 'clientAuth', days: -1 })
  await sign(directory, 'server-only', { ca, usage: 'serverAuth', days: 2 })
  // Trusts another CA than the daemon's.
  cpSync(join(directory, 'client'), join(directory, 'stranger'), { recursive: true })
  cpSync(other.cert, join(directory, 'stranger/ca.pem'))
}

interface Ca {
  readonly cert: string
  readonly key: string
}

async function selfSigned(directory: string, name: string): Promise<Ca> {
  const ca = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}-key.pem`) }
  await openssl('req', '-x509', ...KEY.slice(0, -1), '/CN=Other CA', '-days', '2', '-keyout', ca.key, '-out', ca.cert)
  return ca
}

async function sign(
  directory: string,
  name: string,
  of: { readonly ca: Ca; readonly usage: string; readonly days: number },
): Promise<void> {
  const at = (file: string) => join(directory, name, file)
  mkdirSync(at(''), { recursive: true })
  cpSync(join(directory, 'ca.pem'), at('ca.pem'))
  writeFileSync(at('extensions'), `extendedKeyUsage=${of.usage}\n`)
  await openssl('req', ...KEY, '-keyout', at('key.pem'), '-out', at('request.pem'))
  const signing = ['-CA', of.ca.cert, '-CAkey', of.ca.key, '-set_serial', '7', '-extfile', at('extensions')]
  await openssl('x509', '-req', '-in', at('request.pem'), ...signing, '-days', String(of.days), '-out', at('cert.pem'))
}

async function openssl(...args: readonly string[]): Promise<void> {
  const made = await run('openssl', args)
  if (made.code !== 0) throw new Error(`openssl ${args.join(' ')}: ${made.stderr}`)
}
