import { existsSync } from 'node:fs'

import type { TestDaemon } from './daemon.ts'
import { type Ended, run, type Running, type RunOptions, spawnProgram } from './processes.ts'

/** The real docker command line, speaking to one daemon. */
export interface Docker {
  (...args: readonly string[]): Promise<Ended>
  /** As the call, but another exit code than 0 is an error with all that was written. Resolves to the output without its line end. */
  must(...args: readonly string[]): Promise<string>
  with(options: RunOptions, ...args: readonly string[]): Promise<Ended>
  /** Goes on while the test talks to it. */
  spawn(...args: readonly string[]): Running
  /** The state of one container or another object. */
  inspect(name: string): Promise<any>
  readonly path: string
  readonly env: NodeJS.ProcessEnv
}

const CLIENTS = ['/usr/bin/docker', '/usr/local/bin/docker']

/** Debian's client, and a newer one where there is one: they differ in what they ask and how they take connections over. */
export function dockerClients(): readonly string[] {
  const found = CLIENTS.filter((path) => existsSync(path))
  if (found.length === 0) throw new Error('no docker client is installed; on Debian: apt-get install docker.io')
  return found
}

/** `more`: for a client that comes in by another way than the socket. */
export function dockerOf(daemon: TestDaemon, path: string, more: NodeJS.ProcessEnv = {}): Docker {
  // The daemon has no BuildKit, and tells clients so; a configuration of the user's must not matter.
  const env = {
    PATH: process.env['PATH'],
    DOCKER_HOST: `unix://${daemon.socketPath}`,
    DOCKER_BUILDKIT: '0',
    DOCKER_CONFIG: daemon.directory,
    TERM: 'xterm',
    ...more,
  }
  const withOptions = (options: RunOptions, ...args: readonly string[]) => run(path, args, { env, ...options })
  const must = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await withOptions({}, ...args)
    if (code === 0) return stdout.trimEnd()
    throw new Error(`docker ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
  }
  const docker = (...args: readonly string[]) => withOptions({}, ...args)
  return Object.assign(docker, {
    must,
    with: withOptions,
    spawn: (...args: readonly string[]) => spawnProgram(path, args, env),
    inspect: async (name: string) => JSON.parse(await must('inspect', name))[0],
    path,
    env,
  })
}
