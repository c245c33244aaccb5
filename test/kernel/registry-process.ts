import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { run, until } from '../support/processes.ts'

/** Debian's docker-registry on a port and a directory of its own. */
export interface RegistryProcess {
  /** `localhost:PORT` */
  readonly host: string
  readonly directory: string
  stop(): Promise<void>
}

const PROGRAM = '/usr/bin/docker-registry'

/** `anna` and `right`, as bcrypt, the only form that the registry takes. */
const PASSWORDS = 'anna:$2y$05$7npH46V5B2roDZN0vrBaCO7uJNpK06s5.D2wzFMwMR1QNgYda0LO2\n'

export async function startRegistry(
  options: { readonly hasPassword?: boolean; readonly hasTls?: boolean } = {},
): Promise<RegistryProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-registry-'))
  const port = await freePort()
  const passwords = join(directory, 'htpasswd')
  writeFileSync(passwords, PASSWORDS)
  mkdirSync(join(directory, 'data'))
  if (options.hasTls === true) await makeCertificate(directory)
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') } },
    http: {
      addr: `127.0.0.1:${port}`,
      ...(options.hasTls === true ? { tls: { certificate: join(directory, 'ca.crt'), key: join(directory, 'ca.key') } } : {}),
    },
    ...(options.hasPassword === true ? { auth: { htpasswd: { realm: 'test', path: passwords } } } : {}),
  }
  // JSON is YAML.
  const file = join(directory, 'config.yml')
  writeFileSync(file, JSON.stringify(config))
  const child = spawn(PROGRAM, ['serve', file], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('close', resolve))
  await until('the registry to answer', 10_000, async () => ((await isOpen(port)) ? true : undefined))
  return {
    host: `localhost:${port}`,
    directory,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** One that signs itself, for `localhost`. */
async function makeCertificate(directory: string): Promise<void> {
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', join(directory, 'ca.key'), '-out', join(directory, 'ca.crt')],
  ])
  if (made.code !== 0) throw new Error(`make a certificate: ${made.stderr}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function isOpen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.destroy())
  })
}
