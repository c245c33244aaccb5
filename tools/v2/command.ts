import { spawn } from 'node:child_process'

export interface RunOptions {
  /** The program is killed then. */
  readonly timeoutMs: number
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

export interface Ended {
  readonly code: number
  /** Standard output and error together. */
  readonly output: string
}

/** Runs a program to its end, and never longer than it may take. */
export function run(program: string, args: readonly string[], { timeoutMs, env, cwd }: RunOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
    })
    let output = ''
    const take = (chunk: Buffer) => (output += chunk.toString('utf8'))
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 128, output }))
  })
}

export async function mustRun(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { code, output } = await run(program, args, options)
  if (code === 0) return output
  throw new Error(
    `${program} ${args.join(' ')} ended with exit code ${code}:\n${output.trim().split('\n').slice(-20).join('\n')}`,
  )
}
