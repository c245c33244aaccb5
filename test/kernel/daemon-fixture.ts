import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

import { createClient, frameReader, type Client } from '#client'

import { tarOf, type Entry } from './snapshots-fixture.ts'

const HOME = join(import.meta.dirname, '../..')
/** Guests that are emulated take seconds where a machine takes a tenth of one. */
const READY_TIMEOUT_MS = 60_000
const END_TIMEOUT_MS = 60_000

export interface Ran {
  readonly id: string
  readonly exitCode: number
  readonly output: string
}

/** A whole daemon, as it ships, on directories of its own. */
export interface TestDaemon {
  readonly client: Client
  readonly root: string
  readonly runDir: string
  readonly name: string
  /** The daemon's own words so far. */
  readonly log: () => string
  /** Any other call of the API, with a JSON answer; a refusal is an error with its status. */
  call<T = unknown>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>
  importImage(tag: string, archive: Buffer): Promise<void>
  /** Creates and starts. */
  start(image: string, cmd: readonly string[], more?: CreateBody): Promise<string>
  /** Runs to the end. The container is kept. */
  run(image: string, cmd: readonly string[], more?: CreateBody): Promise<Ran>
  exec(id: string, cmd: readonly string[]): Promise<Omit<Ran, 'id'>>
  /** Starts the daemon again; `kill`: after SIGKILL, so that it had no time for anything. */
  kill(): Promise<void>
  /** `flags` instead of those of the first start. */
  launch(flags?: readonly string[]): Promise<void>
  /** Ends it with all its containers. `directory` goes as well. */
  dispose(): Promise<void>
}

export interface CreateBody {
  readonly name?: string
  readonly HostConfig?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

/** `through`: a program and its arguments that becomes what follows them, in surroundings of its own making. */
export async function startTestDaemon(flags: readonly string[] = [], through: readonly string[] = []): Promise<TestDaemon> {
  const directory = mkdtempSync(join(tmpdir(), 'gb-'))
  const [root, runDir] = [join(directory, 'root'), join(directory, 'run')]
  const name = `t${directory.slice(-6).toLowerCase()}`
  const client = createClient(join(runDir, 'docker.sock'))
  const place = ['--root', root, '--run-dir', runDir, '--instance-name', name, '--no-install']
  let child: ChildProcess | undefined
  let log = ''

  const launch = async (given = flags) => {
    const [program = process.execPath, ...args] = [
      ...through,
      process.execPath,
      join(HOME, 'build/cli.cjs'),
      'daemon',
      ...place,
      ...given,
    ]
    child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.on('data', (chunk: Buffer) => (log = (log + chunk.toString('utf8')).slice(-64 * 1024)))
    await untilTrue(READY_TIMEOUT_MS, async () => {
      if (child?.exitCode !== null || child.signalCode !== null) throw new Error(`the daemon ended:\n${log}`)
      return await client.system.isAnswering()
    }).catch((error: unknown) => {
      throw new Error(`the daemon is not ready:\n${log}`, { cause: error })
    })
  }
  const call: TestDaemon['call'] = (method, path, body) => callJson(client.socketPath, method, path, body)
  const start: TestDaemon['start'] = async (image, cmd, { name: wanted, ...more } = {}) => {
    const { Id } = await client.containers.create({ Image: image, Cmd: cmd, ...more }, wanted)
    await client.containers.start(Id)
    return Id
  }
  const daemon: TestDaemon = {
    client,
    root,
    runDir,
    name,
    log: () => log,
    call,
    importImage: async (tag, archive) => {
      for await (const line of client.images.import(Readable.from([archive], { objectMode: false }), { repo: tag }))
        if ('error' in line && line.error !== undefined) throw new Error(line.error)
    },
    start,
    run: async (image, cmd, more) => {
      const id = await start(image, cmd, more)
      const { exit } = await client.containers.wait(id, 'not-running')
      const { StatusCode: exitCode } = await exit
      return { id, exitCode, output: await outputOf(await client.containers.logs(id, { stdout: true, stderr: true })) }
    },
    exec: async (id, cmd) => {
      const exec = await client.containers.createExec(id, { Cmd: cmd, AttachStdout: true, AttachStderr: true })
      const { socket, head } = await client.containers.startExec(exec, { Detach: false, Tty: false })
      const output = await outputOf(socket, head)
      const { ExitCode } = await client.containers.inspectExec(exec)
      return { exitCode: ExitCode ?? -1, output }
    },
    kill: async () => {
      child?.kill('SIGKILL')
      await untilTrue(END_TIMEOUT_MS, () => child?.signalCode !== null)
    },
    launch,
    dispose: async () => {
      try {
        if (await client.system.isAnswering()) await client.glovebox.shutdown({ stopContainers: true })
        await untilTrue(END_TIMEOUT_MS, () => child?.exitCode !== null || child.signalCode !== null)
        const stop = spawn(process.execPath, [join(HOME, 'build/cli.cjs'), 'daemon', 'stop', ...place], { stdio: 'ignore' })
        await untilTrue(END_TIMEOUT_MS, () => stop.exitCode !== null)
      } finally {
        child?.kill('SIGKILL')
        rmSync(directory, { recursive: true, force: true })
      }
    },
  }
  await launch()
  return daemon
}

async function outputOf(source: AsyncIterable<unknown>, head: Buffer = Buffer.alloc(0)): Promise<string> {
  const pieces: Buffer[] = []
  const reader = frameReader(({ bytes }) => void pieces.push(Buffer.from(bytes)))
  reader.push(head)
  for await (const chunk of source as AsyncIterable<Buffer>) reader.push(chunk)
  return Buffer.concat(pieces).toString('utf8')
}

/** Tries until it is so. */
export async function untilTrue(timeoutMs: number, look: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await look())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${look.toString()}`)
    await delay(20)
  }
}

function callJson<T>(socketPath: string, method: string, path: string, body: unknown): Promise<T> {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers =
    payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        if ((response.statusCode ?? 0) >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
        else resolve((text.trim() === '' ? undefined : JSON.parse(text)) as T)
      })
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(payload)
  })
}

const APPLETS = 'sh cat dd sleep true false echo ls stat mkdir rm mv ln chmod touch id usleep readlink head grep'.split(' ')

/** A root file system with a shell and small tools: Debian's static busybox. */
export function busyboxImage(more: readonly Entry[] = []): Buffer {
  return tarOf([
    ...['bin', 'dev', 'proc', 'sys', 'etc', 'tmp'].map((path): Entry => ({ path, type: 'directory', mode: 0o755 })),
    { path: 'etc/passwd', mode: 0o644, body: 'root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000::/tmp:/bin/sh\n' },
    { path: 'bin/busybox', mode: 0o755, body: readFileSync('/bin/busybox') },
    ...APPLETS.map((name): Entry => ({ path: `bin/${name}`, type: 'symlink', mode: 0o777, linkname: 'busybox' })),
    ...more,
  ])
}
