import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { fail, type Clock } from '#base'

import { buildError } from '../errors.ts'
import { gitAuthorization } from './authorization.ts'
import { PROGRAM_ENV, programPath } from './host-programs.ts'
import { FETCH_TIMEOUT_MS, MAX_COMPLAINT_BYTES, MAX_LISTING_BYTES, MAX_REMOTE_BYTES } from './limits.ts'
import type { FetchOptions, GitSource } from './port.ts'
import { addressOf } from './resolve-host.ts'

/** The host's git for one remote: no settings of anybody's, no hooks, no questions, one protocol, one address. */
export interface Git {
  /** Answers what it prints. Error: `build.remote_failed`, with git's own words. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Buffer>
  /** With what it prints as it comes. */
  stream(args: readonly string[], input: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer>
}

/** `home` is an empty directory of its own. Errors: `build.program_missing`, `build.remote_*`. */
export async function openGit(clock: Clock, source: GitSource, options: FetchOptions, home: string): Promise<Git> {
  const program = programPath('git', 'git', `the repository ${source.remote}`)
  // No file that git writes may grow without end; the pack is one file.
  const prefix = [
    programPath('prlimit', 'util-linux', `the repository ${source.remote}`),
    `--fsize=${MAX_REMOTE_BYTES}`,
    '--',
    program,
  ]
  const environment = { ...PROGRAM_ENV, ...(await settingsOf(source, options, home)) }
  const start = (args: readonly string[], env: Readonly<Record<string, string>>, hasInput: boolean) => {
    const [command = '', ...before] = prefix
    const child = spawn(command, [...before, ...args], {
      cwd: home,
      env: { ...environment, ...env },
      stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      // git starts others (git-remote-https, ssh): all are ended together.
      detached: true,
    })
    let complaint = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < MAX_COMPLAINT_BYTES) complaint += text
    })
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended.
      }
    }
    const ended = once(child, 'close') as Promise<[number | null, string | null]>
    ended.catch(() => undefined)
    return { child, kill, ended, complaint: () => complaint.trim() }
  }
  async function* output(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    input?: AsyncIterable<Buffer> | Iterable<Buffer>,
  ) {
    const { child, kill, ended, complaint } = start(args, env, input !== undefined)
    let isLate = false
    using _limit = clock.after(FETCH_TIMEOUT_MS, () => {
      isLate = true
      kill()
    })
    options.signal?.addEventListener('abort', kill, { once: true })
    const fed = input === undefined ? undefined : feed(input, child.stdin)
    try {
      yield* child.stdout as AsyncIterable<Buffer>
    } finally {
      options.signal?.removeEventListener('abort', kill)
      kill()
    }
    await fed
    const [code] = await ended
    if (options.signal?.aborted === true) throw fail('operation.cancelled', 'git was cancelled')
    if (isLate)
      throw buildError(
        'build.remote_failed',
        `git ${args[0] ?? ''} of ${source.remote} takes more than ${FETCH_TIMEOUT_MS / 1000} s`,
      )
    if (code !== 0)
      throw buildError('build.remote_failed', `git ${verbOf(args)} of ${source.remote} fails: ${complaint() || `code ${code}`}`)
  }
  return {
    stream: (args, input) => output(args, {}, input),
    run: async (args, env = {}) => {
      const chunks: Buffer[] = []
      let length = 0
      for await (const chunk of output(args, env)) {
        length += chunk.length
        if (length > MAX_LISTING_BYTES)
          throw buildError(
            'build.remote_failed',
            `git ${verbOf(args)} of ${source.remote} prints more than ${MAX_LISTING_BYTES} bytes`,
          )
        chunks.push(chunk)
      }
      return Buffer.concat(chunks)
    },
  }
}

const verbOf = (args: readonly string[]) => args.find((arg) => !arg.startsWith('-')) ?? ''

async function feed(input: AsyncIterable<Buffer> | Iterable<Buffer>, stdin: NodeJS.WritableStream | null): Promise<void> {
  if (stdin === null) return
  // It may end before it has read all: that is told by its exit.
  stdin.on('error', () => undefined)
  for await (const chunk of input) if (!stdin.write(chunk)) await Promise.race([once(stdin, 'drain'), once(stdin, 'close')])
  stdin.end()
}

/** The text is a constant: what it names comes from a file that we write. */
const SSH_COMMAND = 'ssh -F "$GLOVEBOX_SSH_SETTINGS"'

async function settingsOf(source: GitSource, options: FetchOptions, home: string): Promise<Record<string, string>> {
  const settings = new Map([
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['credential.helper', ''],
    ['gc.auto', '0'],
    ['fetch.fsckObjects', 'true'],
    ['transfer.bundleURI', 'false'],
    // The address that was checked is the one that is asked, and no other.
    ['http.followRedirects', options.isHostNetworkAllowed ? 'initial' : 'false'],
  ])
  const env: Record<string, string> = {
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: source.transport,
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_DIR: home,
  }
  const host = hostOf(source)
  const { address } = await addressOf(host, options.isHostNetworkAllowed)
  if (source.transport === 'ssh') Object.assign(env, sshSettings(source, host, address, options, home))
  else {
    const url = new URL(source.remote)
    const port = url.port === '' ? (source.transport === 'https' ? '443' : '80') : url.port
    settings.set('http.curloptResolve', `${host}:${port}:${address.includes(':') ? `[${address}]` : address}`)
    const authorization = gitAuthorization(url.host, options.secrets)
    if (authorization !== undefined) settings.set(`http.${url.origin}/.extraHeader`, `Authorization: ${authorization}`)
  }
  for (const [index, [name, value]] of [...settings].entries())
    Object.assign(env, { [`GIT_CONFIG_KEY_${index}`]: name, [`GIT_CONFIG_VALUE_${index}`]: value })
  return { ...env, GIT_CONFIG_COUNT: String(settings.size) }
}

function hostOf(source: GitSource): string {
  if (/^[a-z]+:\/\//i.test(source.remote)) return new URL(source.remote).hostname.replace(/^\[|\]$/g, '')
  return /^[^@]+@([^:]+):/.exec(source.remote)?.[1] ?? ''
}

function sshSettings(
  source: GitSource,
  host: string,
  address: string,
  { sshAgent }: FetchOptions,
  home: string,
): Record<string, string> {
  programPath('ssh', 'openssh-client', `the repository ${source.remote}`)
  if (sshAgent === undefined)
    throw buildError('build.ssh_missing', `${source.remote} is asked over ssh, and the build was given no agent`, {
      hint: 'Build with --ssh default, and add a key with ssh-add.',
    })
  const path = join(home, 'ssh-settings')
  writeFileSync(
    path,
    [
      'Host *',
      `  HostName ${address}`,
      `  HostKeyAlias ${host}`,
      '  BatchMode yes',
      '  StrictHostKeyChecking yes',
      '  ForwardAgent no',
      '  PermitLocalCommand no',
      '',
    ].join('\n'),
    { mode: 0o600 },
  )
  return { GIT_SSH_COMMAND: SSH_COMMAND, GIT_SSH_VARIANT: 'ssh', GLOVEBOX_SSH_SETTINGS: path, SSH_AUTH_SOCK: sshAgent }
}
