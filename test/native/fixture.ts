import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import { systemClock } from '#base'
import {
  shimRuntime,
  type ContainerStart,
  type OutputStream,
  type RunningProcess,
  type Runtime,
  type ShimConnection,
} from '#engine/runtime'

import { buildNative } from '../../tools/build-native.ts'

const HERE = import.meta.dirname
export const CRUN = '/usr/bin/crun'
export const clock = systemClock()

export interface Fixture {
  readonly root: string
  readonly shimPath: string
  readonly runtime: Runtime
  /** A bundle whose first process is the probe with these arguments. */
  bundle(args: readonly string[], change?: (config: RuntimeConfig) => void): string
  dir(name: string): string
  /** Runs when the test ends, last in first out, before the directory is removed. */
  defer(undo: () => void): void
  run(args: readonly string[], options?: Partial<ContainerStart> & { change?: (config: RuntimeConfig) => void }): Promise<Run>
}

export interface Run {
  readonly id: string
  readonly dir: string
  readonly process: RunningProcess
  readonly connection: ShimConnection
  readonly output: Collected
}

export interface Collected {
  text(stream?: OutputStream): string
  bytes(): number
  /** Resolves when the text of both streams together contains this. */
  until(text: string): Promise<void>
}

// The parts of config.json that tests change.
export interface RuntimeConfig {
  process: { terminal: boolean; args: string[]; [field: string]: unknown }
  linux: { [field: string]: unknown }
  [field: string]: unknown
}

/** Everything fresh below one temporary directory; gone with all its containers when the test ends. */
export async function fixture(t: TestContext, runtimePath = CRUN): Promise<Fixture> {
  const { shimPath } = buildNative()
  const root = mkdtempSync(join(tmpdir(), 'glovebox-native-'))
  const group = `/${root.split('/').at(-1)}`
  const undo: Array<() => void> = []
  let count = 0
  process.env['SHIM'] = shimPath
  const runtime = shimRuntime({
    shimPath: join(HERE, 'probe', 'in-namespace'),
    runtime: { path: runtimePath, stateRoot: join(root, 'state') },
    socketPath: join(root, 'spawn.sock'),
    clock,
  })
  t.after(async () => {
    const state = join(root, 'state')
    if (existsSync(state)) for (const id of readdirSync(state)) await runtime.delete(id).catch(() => undefined)
    runtime.close()
    for (const step of undo.toReversed()) step()
    removeCgroups(group)
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  })
  const self: Fixture = {
    root,
    shimPath,
    runtime,
    dir: (name) => join(root, 'run', name),
    defer: (step) => void undo.push(step),
    bundle: (args, change) => {
      count += 1
      const bundle = join(root, 'bundles', String(count))
      mkdirSync(join(bundle, 'rootfs'), { recursive: true })
      buildProbe(join(bundle, 'rootfs', 'init'))
      const config = defaultConfig(['/init', ...args], `${group}/${count}`)
      change?.(config)
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
      return bundle
    },
    run: async (args, { change, ...options } = {}) => {
      const isTty = options.isTty ?? false
      const bundle = self.bundle(args, (config) => {
        config.process.terminal = isTty
        change?.(config)
      })
      const id = `c${count}`
      const dir = self.dir(id)
      const wired = Promise.withResolvers<{ connection: ShimConnection; output: Collected }>()
      const process = await runtime.start({
        id,
        dir,
        bundle,
        isTty,
        hasStdin: false,
        subscription: { stdout: true, stderr: true },
        ...options,
        onConnected: (connection) => {
          wired.resolve({ connection, output: collect(connection) })
          options.onConnected?.(connection)
        },
      })
      return { id, dir, process, ...(await wired.promise) }
    },
  }
  return self
}

export function collect(connection: ShimConnection): Collected {
  const pieces: Array<{ stream: OutputStream; bytes: Buffer }> = []
  const waiting = new Set<() => void>()
  const text = (stream?: OutputStream) =>
    Buffer.concat(
      pieces.filter((piece) => stream === undefined || piece.stream === stream).map((piece) => piece.bytes),
    ).toString()
  connection.listen({
    output: (stream, bytes) => {
      pieces.push({ stream, bytes })
      for (const check of waiting) check()
    },
  })
  return {
    text,
    bytes: () => pieces.reduce((sum, piece) => sum + piece.bytes.length, 0),
    until: (wanted) =>
      new Promise((resolve) => {
        const check = () => {
          if (!text().includes(wanted)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Compiled once into the build directory: the tests need gcc, as the shim does. */
export function buildProbe(target: string): void {
  const built = join(HERE, '..', '..', 'build', 'native', 'test-probe')
  const source = join(HERE, 'probe', 'probe.c')
  if (!existsSync(built) || readFileSync(`${built}.source`, 'utf8') !== readFileSync(source, 'utf8')) {
    const result = spawnSync('gcc', ['-static', '-O1', '-Wall', '-o', built, source], { encoding: 'utf8' })
    if (result.status !== 0) throw new Error(`build the probe: ${result.stderr}`)
    writeFileSync(`${built}.source`, readFileSync(source))
  }
  writeFileSync(target, readFileSync(built))
  chmodSync(target, 0o755)
}

function defaultConfig(args: string[], cgroupsPath: string): RuntimeConfig {
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/'],
      cwd: '/',
      capabilities: { bounding: [], effective: [], permitted: [] },
    },
    root: { path: 'rootfs' },
    hostname: 'probe',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
    ],
    linux: {
      cgroupsPath,
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'network' }],
    },
  }
}

function removeCgroups(group: string): void {
  const top = '/sys/fs/cgroup'
  for (const hierarchy of ['.', ...readdirSync(top)]) removeTree(join(top, hierarchy, group))
}

function removeTree(dir: string): void {
  if (!existsSync(dir)) return
  for (const entry of readdirSync(dir, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(dir, entry.name))
  rmdirSync(dir)
}

/** Starts a shim the direct way, as a process of its own with the first connection as descriptor 3. */
export function spawnShim(shimPath: string, args: readonly string[]) {
  const child = spawn(shimPath, ['run', ...args], { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  return { child, socket: child.stdio[3] as import('node:net').Socket }
}

/** An executable that stands in for crun where no container is needed: a shell script given as a whole. */
export function fakeRuntimeScript(root: string, script: string): string {
  const path = join(root, 'fake-crun')
  writeFileSync(path, `#!/bin/sh\n${script}`)
  chmodSync(path, 0o755)
  return path
}

export function logEntries(path: string): ReadonlyArray<{ log: string; stream: string; time: string }> {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { log: string; stream: string; time: string })
}
