import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { busyboxTar } from '../support/image.ts'
import { type Ended, run, type Running, spawnProgram, until } from '../support/processes.ts'
import { cgroupPids, leaksOf, processesOf, removeKernelObjects, unpin } from './survival-traces.ts'

const CLI = join(import.meta.dirname, '../../build/cli.cjs')
const START_TIMEOUT_MS = 20_000
const COMMAND_TIMEOUT_MS = 20_000
const SETTLE_TIMEOUT_MS = 10_000

/** One instance whose daemon a test kills and starts as it likes. */
export interface Survivor {
  readonly directory: string
  readonly runDir: string
  readonly name: string
  readonly socketPath: string
  /** Of the daemon that runs now. */
  pid(): number
  /** With further environment variables if given. */
  start(env?: NodeJS.ProcessEnv): Promise<void>
  /** As `start`, for a daemon that may die on the way: resolves to whether it is ready. */
  tryStart(env: NodeJS.ProcessEnv): Promise<boolean>
  /** Waits until the daemon has died by itself; false when it lives on. */
  died(timeoutMs: number): Promise<boolean>
  /** SIGKILL, and it is gone when this resolves. */
  kill(): Promise<void>
  restart(): Promise<void>
  /** As the user ends it, containers included. */
  stopDaemon(): Promise<void>
  log(): string
  /** One request of the Engine API; an error status is an error. */
  api<T = any>(method: string, path: string, body?: unknown): Promise<T>
  status(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }>
  docker(...args: readonly string[]): Promise<Ended>
  /** As `docker`, but another exit code than 0 is an error. Resolves to what it printed. */
  must(...args: readonly string[]): Promise<string>
  spawn(...args: readonly string[]): Running
  inspect(ref: string): Promise<Inspected>
  /** Imports the image `busybox` on which all tests run. */
  importImage(): Promise<void>
  /** Fails while anything is there that belongs to no container the API knows. */
  expectNoLeaks(): Promise<void>
  /** Everything ends as after a power cut: all processes, the run directory, the pin of the namespace. */
  powerCut(): Promise<void>
  dispose(): Promise<void>
}

export interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly RestartCount: number
  readonly LogPath: string
  readonly State: {
    readonly Status: string
    readonly Running: boolean
    readonly Pid: number
    readonly ExitCode: number
    readonly OOMKilled: boolean
    readonly StartedAt: string
    readonly FinishedAt: string
    readonly Health?: { readonly Status: string; readonly Log: readonly unknown[] }
  }
  readonly NetworkSettings: {
    readonly IPAddress: string
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>
  }
}

interface Listed {
  readonly Id: string
  readonly State: string
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

export async function survivor(options: { readonly root?: string } = {}): Promise<Survivor> {
  const directory = mkdtempSync(join(tmpdir(), 'gb-survival-'))
  const name = `s-${directory
    .slice(-6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, 'x')}`
  const runDir = join(directory, 'run')
  const root = options.root ?? join(directory, 'root')
  const socketPath = join(runDir, 'docker.sock')
  const place = ['--root', root, '--run-dir', runDir, '--socket', socketPath, '--instance-name', name]
  const env = { ...process.env, DOCKER_HOST: `unix://${socketPath}`, DOCKER_BUILDKIT: '0', DOCKER_CONFIG: directory }
  const words: string[] = []
  let daemon: Running | undefined

  const spawnDaemon = (more: NodeJS.ProcessEnv) => {
    if (daemon !== undefined && daemon.code() !== null) words.push(daemon.output())
    // Not by the launcher, which would build while others do: as a supervisor starts it.
    daemon = spawnProgram(process.execPath, [CLI, ...place, 'daemon'], { ...env, ...more })
    return daemon
  }
  const start = async (more: NodeJS.ProcessEnv = {}) => void (await spawnDaemon(more).shows(/ready socket=/, START_TIMEOUT_MS))
  const tryStart = async (more: NodeJS.ProcessEnv) => {
    const starting = spawnDaemon(more)
    const isOver = async () =>
      await Promise.resolve(starting.code() !== null || /ready socket=/.test(starting.output()) ? true : undefined)
    await until('the daemon to be ready or dead', START_TIMEOUT_MS, isOver)
    return starting.code() === null
  }
  const died = async (timeoutMs: number) => {
    const late = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => late.resolve(false), timeoutMs)
    const isDead = await Promise.race([daemon?.ended.then(() => true) ?? false, late.promise])
    clearTimeout(timer)
    return isDead
  }
  const kill = async () => {
    daemon?.kill('SIGKILL')
    await daemon?.ended
  }
  const status: Survivor['status'] = async (method, path, body) => await call(socketPath, method, path, body)
  const api: Survivor['api'] = async (method, path, body) => {
    const answer = await status(method, path, body)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.text === '' ? undefined : JSON.parse(answer.text)
  }
  const docker = async (...args: readonly string[]) => await run('docker', args, { env, timeoutMs: COMMAND_TIMEOUT_MS })
  const must = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await docker(...args)
    if (code === 0) return stdout.trimEnd()
    throw new Error(`docker ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
  }
  const powerCut = async () => {
    await kill()
    await killAll(directory, name)
    await unpin(runDir)
    rmSync(runDir, { recursive: true, force: true })
  }
  return {
    directory,
    runDir,
    name,
    socketPath,
    pid: () => daemon?.pid ?? 0,
    start,
    tryStart,
    died,
    kill,
    restart: async () => {
      await kill()
      await start()
    },
    stopDaemon: async () => {
      const { code, stdout, stderr } = await run(process.execPath, [CLI, ...place, 'daemon', 'stop'], { env, timeoutMs: 30_000 })
      await daemon?.ended
      if (code !== 0) throw new Error(`daemon stop: ${code} ${stdout}${stderr}`)
    },
    log: () => words.join('\n') + (daemon?.output() ?? ''),
    status,
    api,
    docker,
    must,
    spawn: (...args) => spawnProgram('docker', args, env),
    inspect: async (ref) => await api<Inspected>('GET', `/containers/${ref}/json`),
    importImage: async () => {
      const tar = await busyboxTar(directory)
      await must('import', tar, 'busybox')
    },
    expectNoLeaks: async () => {
      const place = { directory, root, runDir, name }
      await until('nothing to be leaked', SETTLE_TIMEOUT_MS, async () => {
        const containers = await api<Listed[]>('GET', '/containers/json?all=1')
        const known = containers.map(({ Id, State, NetworkSettings }) => ({
          id: Id,
          isRunning: State === 'running' || State === 'paused',
          links: Object.values(NetworkSettings.Networks).filter(({ IPAddress }) => IPAddress !== '').length,
        }))
        const leaks = await leaksOf(place, known)
        if (leaks.length > 0) throw new Error(`leaked: ${leaks.join('; ')}`)
        return true
      })
    },
    powerCut,
    dispose: async () => {
      if (daemon?.code() === null) {
        await run(process.execPath, [CLI, ...place, 'daemon', 'stop'], { env, timeoutMs: 30_000 }).catch(() => undefined)
        daemon.kill('SIGKILL')
        await daemon.ended
      }
      await killAll(directory, name)
      await unpin(runDir)
      await removeKernelObjects(name)
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Processes with the directory on their command line, and those of the containers. */
async function killAll(directory: string, name: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const pids = [...processesOf(directory), ...cgroupPids(name)]
    if (pids.length === 0) return
    for (const pid of pids) killProcess(pid)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export function killProcess(pid: number): void {
  // 0 is what a container that does not run has, and would be all of our own group.
  if (pid <= 0) throw new Error(`there is no process ${pid}`)
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

async function call(socketPath: string, method: string, path: string, body: unknown) {
  return await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const json = body === undefined ? '' : JSON.stringify(body)
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }
    const sent = request({ socketPath, method, path: `/v1.43${path}`, headers, timeout: COMMAND_TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer within ${COMMAND_TIMEOUT_MS} ms`)))
    sent.end(json)
  })
}
