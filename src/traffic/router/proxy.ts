import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { messageOf, systemCodeOf, type Clock } from '#base'

import { routeError } from './errors.ts'
import type { ProcessPort, ProxyServer } from './port.ts'
import { parseFrontends, parseInfo, parseOldWorkers, parseServers } from './runtime-state.ts'
import { runtimeSocket, type RuntimeSocket } from './runtime-socket.ts'

export interface ProxyFiles {
  readonly directory: string
  readonly config: string
  /** The worker's. */
  readonly socket: string
  readonly masterSocket: string
  /** Written by HAProxy itself, so that no moment exists in which it runs and cannot be found. */
  readonly pid: string
  readonly log: string
  readonly access: string
  readonly cookieKey: string
}

/** HAProxy binds the socket under a longer name first; the kernel takes 107 bytes. */
const MAX_SOCKET_PATH = 85

export function proxyFiles(runDir: string): ProxyFiles {
  const directory = join(runDir, 'router')
  const socket = join(directory, 'haproxy.sock')
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
    throw routeError('route.invalid', `the run directory ${runDir} is too long for a unix socket`, {
      hint: 'Give a shorter --run-dir.',
    })
  }
  return {
    directory,
    socket,
    masterSocket: join(directory, 'master.sock'),
    config: join(directory, 'haproxy.cfg'),
    pid: join(directory, 'haproxy.pid'),
    log: join(directory, 'haproxy.log'),
    access: join(directory, 'access.log'),
    cookieKey: join(directory, 'cookie-key'),
  }
}

/** All that HAProxy reads when it starts. */
export interface ProxyInput {
  readonly text: string
  readonly fingerprint: string
  /** Maps, lists and certificates, by their path below the directory; all that it names has to be there, and nothing else stays. */
  readonly files: ReadonlyMap<string, string>
}

const INPUT_DIRECTORIES = ['maps', 'certificates']

/** One HAProxy in master-worker mode, found by its files. Knows nothing of routes. */
export interface Proxy {
  /** Of the master; undefined: it does not run. */
  pid(): number | undefined
  /** What the worker is now. Each question is a connection, and where many want the processor each takes its time: so all of it is one. */
  look(): Promise<ProxyLook>
  servers(): Promise<readonly ProxyServer[]>
  /** Carries out commands, and says what there is then. */
  change(commands: readonly string[]): Promise<{ readonly said: string; readonly servers: readonly ProxyServer[] }>
  /** Workers of configurations before a reload: they are there as long as they have connections. */
  oldWorkers(): Promise<readonly OldWorker[]>
  run(commands: readonly string[]): Promise<string>
  /** One command with its answer; what it carries may stand on further lines. */
  ask(command: string): Promise<string>
  /** Of the worker; undefined: it does not answer. */
  workerPid(): Promise<number | undefined>
  /** Starts it, or has it take the configuration over without losing a connection. Errors: `route.haproxy_missing`, `route.haproxy_failed`. */
  load(input: ProxyInput): Promise<void>
  /** Keeps the file equal to what runs, for a start after a crash. */
  save(input: ProxyInput): Promise<void>
  stop(): Promise<void>
  trimLog(): void
}

export interface ProxyLook {
  /** Of the configuration that it runs. */
  readonly fingerprint: string
  /** Names of the sections that it listens for. */
  readonly sections: readonly string[]
  readonly servers: readonly ProxyServer[]
}

export interface OldWorker {
  servers(): Promise<readonly ProxyServer[]>
  /** At once, with all of its connections. */
  end(): void
}

/** Start and reload take 30 ms; a machine that is busy may take long. */
const LOAD_TIMEOUT_MS = 5000
const POLL_MS = 15
const STOP_TIMEOUT_MS = 2000
/** HAProxy says a line when a server goes up or down. */
const MAX_LOG_BYTES = 1024 * 1024

export function openProxy(files: ProxyFiles, processes: ProcessPort, clock: Clock, command: string): Proxy {
  const socket = runtimeSocket(files.socket, clock)
  const master = runtimeSocket(files.masterSocket, clock)
  const pid = () => {
    const known = readPid(files.pid)
    return known !== undefined && processes.isAlive(known, files.config) ? known : undefined
  }
  const info = async () => {
    try {
      return parseInfo(await socket.ask('show info'))
    } catch {
      return undefined
    }
  }
  const fingerprint = async () => (await info())?.fingerprint
  const until = async (condition: () => Promise<boolean> | boolean, timeoutMs: number): Promise<boolean> => {
    const deadlineMs = clock.monotonicMs() + timeoutMs
    while (!(await condition())) {
      if (clock.monotonicMs() >= deadlineMs) return false
      await clock.sleep(POLL_MS)
    }
    return true
  }
  /** The master replaces itself after each load, and a signal that comes meanwhile is lost: it listens again once it answers. */
  const isMasterReady = async () => {
    try {
      return (await master.ask('show proc')).includes('master')
    } catch {
      return false
    }
  }
  const save = async (input: ProxyInput) => {
    await mkdir(files.directory, { recursive: true, mode: 0o700 })
    for (const name of INPUT_DIRECTORIES) await mkdir(join(files.directory, name), { recursive: true, mode: 0o700 })
    for (const [path, text] of input.files) await put(join(files.directory, path), text)
    await put(files.config, input.text)
    for (const name of INPUT_DIRECTORIES) {
      for (const found of readdirSync(join(files.directory, name))) {
        if (!input.files.has(`${name}/${found}`)) rmSync(join(files.directory, name, found), { force: true })
      }
    }
  }
  const start = async (): Promise<number> => {
    try {
      return await processes.spawn(
        command,
        ['-W', '-S', `${files.masterSocket},mode,600`, '-f', files.config, '-p', files.pid],
        files.log,
      )
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT')
        throw routeError('route.haproxy_failed', `cannot start HAProxy: ${messageOf(error)}`, { cause: error })
      throw routeError('route.haproxy_missing', `${command} is not installed`, {
        hint: 'Install the package haproxy.',
        cause: error,
      })
    }
  }
  return {
    pid,
    save,
    look: async () => {
      // Frontends are type 1, servers 4.
      const { said, stat, state } = parts(await socket.ask('show info;show stat -1 5 -1;show servers state'))
      const { fingerprint: running } = parseInfo(said)
      return { fingerprint: running, sections: parseFrontends(stat), servers: parseServers(state, stat) }
    },
    servers: async () => await serversOf(socket),
    change: async (commands) => {
      const { said, stat, state } = parts(await socket.run([...commands, SHOW_SERVERS]))
      return { said: said.trim(), servers: parseServers(state, stat) }
    },
    oldWorkers: async () => {
      const pids = parseOldWorkers(await master.ask('show proc'))
      return pids.map((old) => {
        const through = runtimeSocket(files.masterSocket, clock, `@!${old} `)
        return { servers: async () => await serversOf(through), end: () => processes.signal(old, 'SIGTERM') }
      })
    },
    run: async (commands) => await socket.run(commands),
    ask: async (command) => await socket.ask(command),
    workerPid: async () => (await info())?.workerPid,
    load: async (input) => {
      await save(input)
      const logStart = sizeOf(files.log)
      const running = pid()
      const loaded = running ?? (await start())
      if (running !== undefined) {
        await until(isMasterReady, LOAD_TIMEOUT_MS)
        processes.signal(running, 'SIGUSR2')
      }
      const isGone = () => !processes.isAlive(loaded, files.config)
      let isLoaded = false
      const check = async () => (isLoaded = (await fingerprint()) === input.fingerprint && (await isMasterReady()))
      await until(async () => (await check()) || isGone(), LOAD_TIMEOUT_MS)
      if (isLoaded) return
      const said = readText(files.log).slice(logStart).trim().split('\n').slice(-5).join(' ')
      throw routeError(
        'route.haproxy_failed',
        `HAProxy did not take its configuration: ${said === '' ? 'it says nothing' : said}`,
      )
    },
    stop: async () => {
      const running = pid()
      if (running !== undefined) {
        processes.signal(running, 'SIGTERM')
        const isDown = await until(() => !processes.isAlive(running, files.config), STOP_TIMEOUT_MS)
        if (!isDown) processes.signal(running, 'SIGKILL')
      }
      rmSync(files.directory, { recursive: true, force: true })
    },
    trimLog: () => {
      if (sizeOf(files.log) > MAX_LOG_BYTES) truncateSync(files.log)
    },
  }
}

/** Their connections, and then their states. */
const SHOW_SERVERS = 'show stat -1 4 -1;show servers state'

/** The master passes on one command at a time. */
async function serversOf({ ask }: RuntimeSocket): Promise<readonly ProxyServer[]> {
  const [stat = '', state = ''] = await Promise.all(SHOW_SERVERS.split(';').map(ask))
  return parseServers(state, stat)
}

/** Answers of several commands in one text: the tables begin with the names of their columns. */
function parts(text: string): { readonly said: string; readonly stat: string; readonly state: string } {
  const statAt = text.indexOf('# pxname,')
  const stateAt = text.indexOf('# be_id ', statAt)
  if (statAt === -1 || stateAt === -1) throw routeError('route.haproxy_failed', 'HAProxy did not say what it has')
  return { said: text.slice(0, statAt), stat: text.slice(statAt, stateAt), state: text.slice(stateAt) }
}

async function put(path: string, text: string): Promise<void> {
  if (readText(path) === text && sizeOf(path) > 0) return
  await writeFile(`${path}.tmp`, text, { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}

function readPid(path: string): number | undefined {
  const pid = Number.parseInt(readText(path), 10)
  return Number.isInteger(pid) && pid > 0 ? pid : undefined
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
