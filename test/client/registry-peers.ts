import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { run, until } from '../support/processes.ts'

/** Programs of others that push and pull by themselves, with everything that they keep in a directory of their own. */
export interface Peers {
  readonly directory: string
  /** What it printed; another exit code than 0 is an error. */
  skopeo(...args: readonly string[]): Promise<string>
  buildah(...args: readonly string[]): Promise<string>
  [Symbol.dispose](): void
}

export function registryPeers(): Peers {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-peers-'))
  const policy = join(directory, 'policy.json')
  writeFileSync(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
  // Short names and mirrors of the machine must not matter.
  const registries = join(directory, 'registries.conf')
  writeFileSync(registries, '')
  const auth = join(directory, 'auth.json')
  writeFileSync(auth, '{}')
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    XDG_RUNTIME_DIR: directory,
    REGISTRY_AUTH_FILE: auth,
    CONTAINERS_REGISTRIES_CONF: registries,
    STORAGE_DRIVER: 'vfs',
  }
  const must = async (program: string, args: readonly string[]) => {
    const { code, stdout, stderr } = await run(program, args, { env, timeoutMs: 60_000 })
    if (code === 0) return stdout.trimEnd()
    throw new Error(`${program} ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
  }
  const storage = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs']
  return {
    directory,
    skopeo: async (...args) => await must('/usr/bin/skopeo', ['--policy', policy, ...args]),
    buildah: async (command, ...args) => {
      // Only some of its commands check signatures.
      const checked = command === 'pull' || command === 'push' ? ['--signature-policy', policy] : []
      return await must('/usr/bin/buildah', [...storage, command ?? '', ...checked, ...args])
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Debian's dockerd, for its own pushes and pulls: no networks, no containers. */
export async function dockerPeer(flags: readonly string[] = []): Promise<{ readonly socketPath: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-dockerd-'))
  const at = (name: string) => join(directory, name)
  mkdirSync(at('root'))
  const args = ['--data-root', at('root'), '--exec-root', at('exec'), '--pidfile', at('pid'), '-H', `unix://${at('docker.sock')}`]
  const alone = ['--storage-driver', 'vfs', '--iptables=false', '--ip6tables=false', '--bridge=none', '--log-level', 'error']
  const child = spawn('/usr/sbin/dockerd', [...args, ...alone, ...flags], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  await until('dockerd to answer', 30_000, async () => {
    if (child.exitCode !== null) throw new Error(`dockerd ended with ${child.exitCode}`)
    const version = await run('/usr/bin/docker', ['-H', `unix://${at('docker.sock')}`, 'version'])
    return version.code === 0 ? true : undefined
  }).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { socketPath: at('docker.sock'), stop }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A certificate for an address that signs itself, as `ca.crt` and `ca.key`. */
export async function selfSigned(directory: string, address: string): Promise<{ readonly cert: string; readonly key: string }> {
  mkdirSync(directory, { recursive: true })
  const [cert, key] = [join(directory, 'ca.crt'), join(directory, 'ca.key')]
  const kind = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${address}`,
  ]
  const made = await run('openssl', ['req', ...kind, '-addext', `subjectAltName=IP:${address}`, '-keyout', key, '-out', cert])
  if (made.code !== 0) throw new Error(`make a certificate: ${made.stderr}`)
  return { cert, key }
}
