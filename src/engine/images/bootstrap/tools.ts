import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import { fail, messageOf, systemCodeOf, type Clock } from '#base'

import { imageError } from '../errors.ts'

/** The programs of the host that make a root file system. */
export interface BootstrapTools {
  /** Runs a program to its end. `output` is a file descriptor for its standard output, or null to have it as text. */
  run(program: string, args: readonly string[], options: RunOptions): Promise<ToolResult>
}

export interface RunOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Ends the program; it then fails with `operation.cancelled`. */
  readonly signal?: AbortSignal
  readonly env?: Readonly<Record<string, string>>
  readonly output?: number | null
  /** Each line that it says on standard error. */
  readonly onLine?: (line: string) => void
}

export interface ToolResult {
  readonly exitCode: number
  readonly text: string
  /** The last of what it said on standard error. */
  readonly lastLines: readonly string[]
}

/** Enough to see what went wrong, not the whole story of dpkg. */
const KEPT_LINES = 25
const MAX_LINE_CHARACTERS = 2000
/** Configuration of apt: some kilobytes. */
const MAX_TEXT_CHARACTERS = 1024 * 1024
/** Passed on: how this machine reaches the world. */
const PASSED_ON = ['PATH', 'http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy']
/** mmdebstrap cleans up on the first signal; if it does not come to an end, it is made to. */
const GRACE_MS = 10_000

export function hostTools(): BootstrapTools {
  return { run: runProgram }
}

async function runProgram(program: string, args: readonly string[], options: RunOptions): Promise<ToolResult> {
  const { clock, timeoutMs, signal, onLine, output = null } = options
  if (signal?.aborted === true) throw fail('operation.cancelled', `${program} was not started: the operation was cancelled`)
  const inherited = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]))
  const child = spawn(program, args, {
    env: { ...Object.fromEntries(inherited), LC_ALL: 'C.UTF-8', ...options.env },
    stdio: ['ignore', output ?? 'pipe', 'pipe'],
    cwd: '/',
  })
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  let hasTimedOut = false
  using _limit = clock.after(timeoutMs, () => {
    hasTimedOut = true
    child.kill('SIGTERM')
  })
  using _end = clock.after(timeoutMs + GRACE_MS, () => child.kill('SIGKILL'))
  let isCancelled = false
  const stop = () => {
    isCancelled = true
    child.kill('SIGTERM')
  }
  signal?.addEventListener('abort', stop, { once: true })
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(0, MAX_TEXT_CHARACTERS)
  })
  const lastLines: string[] = []
  const { stderr } = child
  if (stderr !== null)
    createInterface({ input: stderr }).on('line', (whole) => {
      const line = whole.slice(0, MAX_LINE_CHARACTERS)
      lastLines.push(line)
      if (lastLines.length > KEPT_LINES) lastLines.shift()
      onLine?.(line)
    })
  try {
    const exitCode = await ended
    if (isCancelled) throw fail('operation.cancelled', `${program} was ended: the operation was cancelled`)
    if (hasTimedOut) throw imageError('image.bootstrap_failed', `${program} did not finish in ${timeoutMs / 1000} s`)
    return { exitCode: exitCode ?? -1, text, lastLines }
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error
    throw imageError('image.bootstrap_unavailable', `${program} is not installed: ${messageOf(error)}`, {
      cause: error,
      hint: 'Install it first (Debian and Ubuntu: apt-get install mmdebstrap debian-archive-keyring).',
    })
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
