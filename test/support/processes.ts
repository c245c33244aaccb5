import { spawn } from 'node:child_process'

/** No command of a test takes this long unless it hangs. */
const DEFAULT_TIMEOUT_MS = 30_000

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Given and then closed. Without it the standard input is empty. */
  readonly input?: string | Buffer
  readonly timeoutMs?: number
}

/** Runs to the end. A program that does not end in time is killed, and that is an error with all that it wrote. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawnProgram(program, args, options.env)
  child.end(options.input)
  return await child.finish(options.timeoutMs)
}

/** A program that a test talks to while it runs. */
export interface Running {
  readonly pid: number
  /** null while it runs. */
  code(): number | null
  stdout(): string
  stderr(): string
  /** Both streams in the order in which they came. */
  output(): string
  write(text: string | Buffer): void
  /** Closes its standard input. */
  end(text?: string | Buffer): void
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<Ended>
  /** Waits for its end; one that does not come in time is an error with all that it wrote. */
  finish(timeoutMs?: number): Promise<Ended>
  /** Resolves when the output so far matches. */
  shows(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
}

export function spawnProgram(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Running {
  const child = spawn(program, [...args], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const chunks: { readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer }[] = []
  const text = (stream?: 'stdout' | 'stderr') =>
    Buffer.concat(chunks.filter((chunk) => stream === undefined || chunk.stream === stream).map(({ bytes }) => bytes)).toString()
  child.stdout.on('data', (bytes: Buffer) => chunks.push({ stream: 'stdout', bytes }))
  child.stderr.on('data', (bytes: Buffer) => chunks.push({ stream: 'stderr', bytes }))
  // A program that ends without reading its input is no failure of the test.
  child.stdin.on('error', () => undefined)
  let code: number | null = null
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => {
      code = exitCode ?? 128
      resolve({ code, stdout: text('stdout'), stderr: text('stderr') })
    })
  })
  ended.catch(() => undefined)
  return {
    pid: child.pid ?? 0,
    code: () => code,
    stdout: () => text('stdout'),
    stderr: () => text('stderr'),
    output: () => text(),
    write: (input) => void child.stdin.write(input),
    end: (input) => void child.stdin.end(input),
    kill: (signal) => void child.kill(signal),
    ended,
    finish: async (timeoutMs = DEFAULT_TIMEOUT_MS) => {
      const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      const started = performance.now()
      const last = await ended
      clearTimeout(late)
      if (performance.now() - started < timeoutMs) return last
      throw new Error(`${program} ${args.join(' ')}: did not end within ${timeoutMs} ms; it wrote:\n${text()}`)
    },
    shows: async (pattern, timeoutMs = DEFAULT_TIMEOUT_MS) =>
      await until(
        `${program} ${args.join(' ')} to show ${pattern}; it showed ${text()}`,
        timeoutMs,
        async () => await Promise.resolve(pattern.exec(text()) ?? undefined),
      ),
  }
}

const POLL_MS = 20

/** Tries again until `look` gives a value; fails with the last failure. */
export async function until<T>(what: string, timeoutMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    let last: unknown
    try {
      const value = await look()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
    if (performance.now() > deadlineMs)
      throw new Error(`waited ${timeoutMs} ms for ${what}${last instanceof Error ? `: ${last.message}` : ''}`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
