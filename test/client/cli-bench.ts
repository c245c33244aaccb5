import { join } from 'node:path'
import { after, before } from 'node:test'

import { type TestDaemon, startDaemon } from '../support/daemon.ts'
import { type Docker, dockerClients, dockerOf } from '../support/docker.ts'
import { busyboxTar } from '../support/image.ts'
import { type Ended, run, type RunOptions, type Running, spawnProgram } from '../support/processes.ts'

const LAUNCHER = join(import.meta.dirname, '../../glovebox')

/** Our own command line, through the real launcher, on a daemon of a test's own. */
export interface Cli {
  (...words: readonly string[]): Promise<Ended>
  /** As the call, but another exit code than 0 is an error. Resolves to the output without its line end. */
  must(...words: readonly string[]): Promise<string>
  with(options: RunOptions, ...words: readonly string[]): Promise<Ended>
  spawn(...words: readonly string[]): Running
  readonly launcher: string
  readonly env: NodeJS.ProcessEnv
}

export interface CliBench {
  readonly daemon: TestDaemon
  readonly cli: Cli
  /** The newest docker client there is, on the same daemon. */
  readonly docker: Docker
}

/** A daemon for the tests of a file, with the image `busybox`, a container `web` that runs and publishes a port, and one that ended with 3. */
export function cliBench(): () => CliBench {
  let bench: CliBench | undefined
  before(async () => {
    const daemon = await startDaemon()
    const cli = cliOf(daemon)
    bench = { daemon, cli, docker: dockerOf(daemon, dockerClients().at(-1) ?? '') }
    await cli.must('import', '-c', 'CMD ["sh"]', '-c', 'ENV PATH=/bin', await busyboxTar(daemon.directory), 'busybox')
    await cli.must('network', 'create', '--label', 'x=y', 'app')
    // A shell-less sleep does not hear SIGTERM; nobody should wait for it.
    const labels = ['--stop-timeout', '0', '-l', 'com.example.who=me', '-l', 'b=c']
    await cli.must(
      'run',
      '-d',
      '--name',
      'web',
      ...labels,
      '-p',
      '127.0.0.1::80',
      '-v',
      'data:/data',
      '--network',
      'app',
      'busybox',
      'sleep',
      '1000',
    )
    await cli('run', '--name', 'done', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 3')
  })
  after(async () => await bench?.daemon.stop())
  return () => {
    if (bench === undefined) throw new Error('the daemon of these tests did not start')
    return bench
  }
}

function cliOf(daemon: TestDaemon): Cli {
  const env = {
    PATH: process.env['PATH'],
    HOME: daemon.directory,
    GLOVEBOX_HOST: `unix://${daemon.socketPath}`,
    DOCKER_CONFIG: daemon.directory,
    TERM: 'xterm',
    LANG: 'C.UTF-8',
  }
  const withOptions = (options: RunOptions, ...words: readonly string[]) =>
    run(LAUNCHER, words, { ...options, env: { ...env, ...options.env } })
  const must = async (...words: readonly string[]) => {
    const { code, stdout, stderr } = await withOptions({}, ...words)
    if (code === 0) return stdout.trimEnd()
    throw new Error(`glovebox ${words.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
  }
  const cli = (...words: readonly string[]) => withOptions({}, ...words)
  return Object.assign(cli, {
    must,
    with: withOptions,
    spawn: (...words: readonly string[]) => spawnProgram(LAUNCHER, words, env),
    launcher: LAUNCHER,
    env,
  })
}
