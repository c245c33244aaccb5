import { resolve } from 'node:path'

import { cliError } from '../errors.ts'

/** Where one daemon instance keeps what is its own. Several instances on a machine differ in all of these. */
export interface InstancePaths {
  readonly root: string
  readonly runDir: string
  readonly socketPath: string
  /** In the names of links, tables and control groups. */
  readonly name: string
  /** `tcp://HOST:PORT` or `ssh://HOST` of a daemon elsewhere, for the commands that only talk to one. */
  readonly tcp?: string
}

const DEFAULT_ROOT = '/var/lib/glovebox'
const DEFAULT_RUN_DIR = '/run/glovebox'

export interface InstanceChoice {
  readonly root?: string | undefined
  readonly 'run-dir'?: string | undefined
  readonly socket?: string | undefined
  readonly 'instance-name'?: string | undefined
}

/** Flags win over the environment (GLOVEBOX_ROOT, GLOVEBOX_RUN_DIR, GLOVEBOX_HOST, GLOVEBOX_NAME), which wins over the defaults. */
export function instancePaths(choice: InstanceChoice, env: NodeJS.ProcessEnv, cwd: string): InstancePaths {
  const pick = (flag: string | undefined, variable: string, otherwise: string) => flag ?? (env[variable] || otherwise)
  const root = resolve(cwd, pick(choice.root, 'GLOVEBOX_ROOT', DEFAULT_ROOT))
  const runDir = resolve(cwd, pick(choice['run-dir'], 'GLOVEBOX_RUN_DIR', DEFAULT_RUN_DIR))
  const address = choice.socket ?? (env['GLOVEBOX_HOST'] || tcpIn(env['DOCKER_HOST']))
  const tcp = tcpIn(address)
  const socketPath = resolve(cwd, socketOf(tcp === undefined && address ? address : `${runDir}/docker.sock`))
  const name = pick(choice['instance-name'], 'GLOVEBOX_NAME', instanceName(runDir))
  if (!/^[a-z0-9][a-z0-9-]{0,9}$/.test(name))
    throw cliError('cli.usage', `--instance-name: ${JSON.stringify(name)} must be 1 to 10 lower-case letters, digits and dashes`)
  return { root, runDir, socketPath, name, ...(tcp === undefined ? {} : { tcp }) }
}

/** DOCKER_HOST counts when it names a machine: a socket in it is another engine's. */
function tcpIn(address: string | undefined): string | undefined {
  return /^(?:tcp|ssh):\/\//.test(address ?? '') ? address : undefined
}

function socketOf(address: string): string {
  if (address.startsWith('unix://')) return address.slice('unix://'.length)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)
  if (scheme !== null)
    throw cliError('cli.usage', `--socket: ${scheme[0]} is not supported`, {
      hint: 'Name a unix socket (unix:///run/glovebox/docker.sock) or a machine (tcp://HOST:PORT, ssh://HOST).',
    })
  return address
}

/** The default instance has the plain name; every other run directory has a name of its own, and always the same one. */
function instanceName(runDir: string): string {
  return runDir === DEFAULT_RUN_DIR ? 'glovebox' : `gb${fingerprint(runDir)}`
}

/** FNV-1a, 24 bits of it: names need not be secret, and loading crypto would cost every command 5 ms. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return (hash >>> 8).toString(16).padStart(6, '0')
}
