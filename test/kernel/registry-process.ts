import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { run, until } from '../support/processes.ts'

/** Debian's docker-registry on a port and a directory of its own. */
export interface RegistryProcess {
  /** `localhost:PORT`, or the address that was asked for. */
  readonly host: string
  readonly directory: string
  stop(): Promise<void>
}

const PROGRAM = '/usr/bin/docker-registry'

/** `anna` and `right`, as bcrypt, the only form that the registry takes. */
const PASSWORDS = 'anna:$2y$05$7npH46V5B2roDZN0vrBaCO7uJNpK06s5.D2wzFMwMR1QNgYda0LO2\n'

export interface RegistryChoice {
  readonly hasPassword?: boolean
  readonly hasTls?: boolean
  readonly canDelete?: boolean
  /** Of this machine; the loopback's unless given. */
  readonly address?: string
}

export async function startRegistry(options: RegistryChoice = {}): Promise<RegistryProcess> {
  const { address = '127.0.0.1' } = options
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-registry-'))
  const port = await freePort(address)
  const passwords = join(directory, 'htpasswd')
  writeFileSync(passwords, PASSWORDS)
  mkdirSync(join(directory, 'data'))
  if (options.hasTls === true) await makeCertificate(directory, options.address)
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: options.canDelete === true } },
    http: {
      addr: `${address}:${port}`,
      ...(options.hasTls === true ? { tls: { certificate: join(directory, 'ca.crt'), key: join(directory, 'ca.key') } } : {}),
    },
    ...(options.hasPassword === true ? { auth: { htpasswd: { realm: 'test', path: passwords } } } : {}),
  }
  // JSON is YAML.
  const file = join(directory, 'config.yml')
  writeFileSync(file, JSON.stringify(config))
  const child = spawn(PROGRAM, ['serve', file], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('close', resolve))
  await until('the registry to answer', 10_000, async () => ((await isOpen(port, address)) ? true : undefined))
  return {
    host: `${options.address ?? 'localhost'}:${port}`,
    directory,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** One that signs itself. */
async function makeCertificate(directory: string, address: string | undefined): Promise<void> {
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...[
      '-addext',
      `subjectAltName=${address === undefined ? 'DNS:localhost' : `IP:${address}`}`,
      '-keyout',
      join(directory, 'ca.key'),
      '-out',
      join(directory, 'ca.crt'),
    ],
  ])
  if (made.code !== 0) throw new Error(`make a certificate: ${made.stderr}`)
}

async function freePort(address: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function isOpen(port: number, address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, address)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
