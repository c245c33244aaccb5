import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One installation of its own for a test: fresh root and run directory, the real launcher. */
export interface Instance {
  readonly directory: string
  readonly runDir: string
  /** In the names of its links, tables and control groups. */
  readonly name: string
  glovebox(...words: readonly string[]): Promise<Ended>
  /** As `glovebox`, but anything other than exit code 0 is an error with all that was written. */
  mustRun(...words: readonly string[]): Promise<Ended>
  /** Ends everything and removes the directory; for the end of a test, however it ended. */
  dispose(): Promise<void>
}

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const HOME = join(import.meta.dirname, '../..')

export function createInstance(env: Readonly<Record<string, string>> = {}): Instance {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-e2e-'))
  const runDir = join(directory, 'run')
  const name = `e2e${randomBytes(3).toString('hex')}`
  const place = ['--root', join(directory, 'root'), '--run-dir', runDir, '--instance-name', name]
  const glovebox = (...words: readonly string[]) => run(join(HOME, 'glovebox'), [...place, ...words], { ...process.env, ...env })
  const mustRun = async (...words: readonly string[]) => {
    const ended = await glovebox(...words)
    if (ended.code === 0) return ended
    throw new Error(`glovebox ${words.join(' ')}: exit code ${ended.code}\n${ended.stdout}${ended.stderr}`)
  }
  const dispose = async () => {
    await glovebox('daemon', 'stop')
    rmSync(directory, { recursive: true, force: true })
  }
  return { directory, runDir, name, glovebox, mustRun, dispose }
}

export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }))
  })
}

/** What one instance has on the host, by its names: other daemons beside it do not disturb the comparison. */
export interface HostTraces {
  readonly mounts: readonly string[]
  readonly links: readonly string[]
  readonly tables: readonly string[]
  readonly cgroups: readonly string[]
  readonly namespaces: readonly string[]
  readonly processes: readonly string[]
  /** What is in the run directory, its log apart. */
  readonly files: readonly string[]
}

export async function hostTraces({ directory, name }: Pick<Instance, 'directory' | 'name'>): Promise<HostTraces> {
  const digits = createHash('sha256').update(name).digest('hex').slice(0, 6)
  const lines = async (program: string, ...args: readonly string[]) =>
    (await run(program, args)).stdout.split('\n').filter((line) => line !== '')
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((point) => point.startsWith(directory)),
    links: (await lines('ip', '-o', 'link'))
      .map((line) => line.split(': ')[1]?.split('@')[0] ?? '')
      .filter((link) => link.startsWith(`gb-${digits}`) || link.startsWith(`gv${digits}`)),
    tables: (await lines('nft', 'list', 'tables')).filter((line) => line.includes(digits)),
    cgroups: await lines('find', '/sys/fs/cgroup', '-type', 'd', '-path', `*/glovebox/${name}*`),
    namespaces: (await lines('lsns', '--noheadings', '--output', 'NS,TYPE,NSFS,COMMAND')).filter((line) =>
      line.includes(directory),
    ),
    files: attempt(() => readdirSync(join(directory, 'run'), { recursive: true }).join('\n'))
      .split('\n')
      .filter((file) => file !== '' && file !== 'daemon.log'),
    processes: processesOf(directory),
  }
}

/** Processes with the directory in their command line, or running from inside it. */
export function processesOf(directory: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim())
      const cwd = attempt(() => readlinkSync(`/proc/${pid}/cwd`))
      return command.includes(directory) || cwd.startsWith(directory) ? [`${pid} ${command}`] : []
    })
}

function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    // It has ended meanwhile.
    return ''
  }
}

/** Tries again until `look` gives a value; fails with what it said last. */
export async function until<T>(what: string, timeoutMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const value = await look()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${timeoutMs} ms`, { cause: last })
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
