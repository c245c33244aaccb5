import { isIP } from 'node:net'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { ProgramCall } from './enter-plan.ts'
import { mustRun } from './programs.ts'

const DAYS = 825
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export interface CertificateWishes {
  readonly directory: string
  /** Names and addresses under which clients reach the daemon. */
  readonly hosts: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/**
 * A CA with a certificate for a daemon and one for clients, by openssl: DIR/ca.pem and ca-key.pem, DIR/daemon/{cert,key}.pem, and DIR/client, which is
 * what DOCKER_CERT_PATH wants. An older CA in the directory is kept and signs anew.
 */
export async function makeCertificates({ directory, hosts, env }: CertificateWishes, hasCa: boolean): Promise<void> {
  for (const name of ['', 'daemon', 'client']) mkdirSync(join(directory, name), { recursive: true, mode: 0o700 })
  if (!hasCa) await openssl(caCall(directory), env)
  await sign({ directory, name: 'daemon', usage: 'serverAuth', hosts, env })
  await sign({ directory, name: 'client', usage: 'clientAuth', hosts: [], env })
  for (const name of ['daemon', 'client']) await openssl(copyOfCa(directory, name), env)
  for (const name of ['ca-key.pem', 'daemon/key.pem', 'client/key.pem']) chmodSync(join(directory, name), 0o600)
}

function caCall(directory: string): readonly string[] {
  const files = ['-keyout', join(directory, 'ca-key.pem'), '-out', join(directory, 'ca.pem')]
  return ['req', '-x509', ...KEY, '-days', String(DAYS), '-subj', '/CN=Glovebox CA', ...files]
}

function copyOfCa(directory: string, name: string): readonly string[] {
  return ['x509', '-in', join(directory, 'ca.pem'), '-out', join(directory, name, 'ca.pem')]
}

interface Signing extends CertificateWishes {
  readonly name: 'daemon' | 'client'
  readonly usage: 'serverAuth' | 'clientAuth'
}

async function sign({ directory, name, usage, hosts, env }: Signing): Promise<void> {
  const work = mkdtempSync(join(directory, '.work-'))
  try {
    const [request, extensions] = [join(work, 'request.pem'), join(work, 'extensions')]
    writeFileSync(extensions, extensionsText(usage, hosts))
    const key = join(directory, name, 'key.pem')
    await openssl(['req', ...KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request], env)
    const ca = ['-CA', join(directory, 'ca.pem'), '-CAkey', join(directory, 'ca-key.pem'), '-set_serial', `0x${serial()}`]
    const out = ['-extfile', extensions, '-days', String(DAYS), '-out', join(directory, name, 'cert.pem')]
    await openssl(['x509', '-req', '-in', request, ...ca, ...out], env)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** x509v3_config(5). */
function extensionsText(usage: Signing['usage'], hosts: readonly string[]): string {
  const names = hosts.map((host) => (isIP(host) === 0 ? `DNS:${host}` : `IP:${host}`))
  return [`extendedKeyUsage=${usage}`, ...(names.length === 0 ? [] : [`subjectAltName=${names.join(',')}`]), ''].join('\n')
}

/** 16 bytes, the first bit clear: serial numbers are positive (RFC 5280, section 4.1.2.2). */
function serial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return Buffer.from(bytes).toString('hex')
}

async function openssl(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const call: ProgramCall = { program: 'openssl', args }
  await mustRun(call, env)
}
