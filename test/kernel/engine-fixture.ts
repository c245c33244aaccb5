import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'

import { silentLog, systemClock } from '#base'
import { specFromImage, type ContainerSpec, type MemoryFile } from '#engine/containers'
import { linuxHost } from '#host'

import { readDaemonArguments } from '../../src/daemon/arguments.ts'
import { openEngine, type Engine } from '../../src/daemon/engine.ts'
import { readFailpoint } from '../../src/daemon/failpoints/read-failpoint.ts'
import { createSettings } from '../../src/daemon/settings/settings.ts'
import { busyboxImage } from './daemon-fixture.ts'

const IS_INSIDE = 'GLOVEBOX_TEST_OWN_MOUNTS'
const IMAGE = 'box:1'
const ALL_LOGS = { stdout: true, stderr: true, follow: false, sinceNs: null, untilNs: null, tail: null }

/**
 * Runs the calling test file anew in a mount namespace of its own, as the daemon does, and ends this process with its outcome. In there it does
 * nothing: what the engine mounts goes with the process. An engine that was closed with containers running still waits for their ends: the tests end without it.
 */
export function inOwnMounts(file: string): void {
  if (process.env[IS_INSIDE] !== undefined) return
  const words = ['--mount', '--propagation', 'slave', process.execPath, ...process.execArgv, '--test-force-exit', file]
  const { status } = spawnSync('unshare', words, { stdio: 'inherit', env: { ...process.env, [IS_INSIDE]: '1' } })
  process.exit(status ?? 1)
}

/** An engine in this process, for what no API gives from outside. */
export interface TestEngine extends AsyncDisposable {
  readonly runDir: string
  readonly root: string
  engine(): Engine
  /** Lets go of everything and opens it anew: containers go on. */
  again(): Promise<void>
  /** Creates it, not started. */
  create(script: string, files: readonly MemoryFile[], change?: (spec: ContainerSpec) => ContainerSpec): Promise<string>
  /** Starts it and waits for its end. */
  finish(id: string): Promise<{ readonly exitCode: number; readonly output: string }>
}

export async function testEngine(flags: readonly string[] = []): Promise<TestEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'gb-engine-'))
  // On the way to what a container's root mounts, which is nobody outside where users are remapped.
  chmodSync(directory, 0o711)
  const [root, runDir] = [join(directory, 'root'), join(directory, 'run')]
  for (const place of [root, runDir]) mkdirSync(place, { mode: 0o711 })
  const name = `e${directory
    .slice(-6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0')}`
  const clock = systemClock()
  const log = silentLog()
  const host = linuxHost({ clock, cgroupPath: `/glovebox/${name}/own` })
  host.cgroups.maskUnifiedControllers()
  const failpoints = readFailpoint(undefined, { log, kill: () => undefined })
  const settings = createSettings(() => readDaemonArguments(['--root', root, '--run-dir', runDir, '--name', name, ...flags]))
  const open = async () => await openEngine({ ...settings.current(), settings, clock, log, host, failpoints })
  let engine = await open()
  const tar = Readable.from([busyboxImage()], { objectMode: false })
  const image = await engine.images.import({ tar, ref: IMAGE, message: '', changes: [], platform: null })
  return {
    root,
    runDir,
    engine: () => engine,
    again: async () => {
      await engine[Symbol.asyncDispose]()
      engine = await open()
    },
    create: async (script, files, change = (spec) => spec) => {
      const base = specFromImage(image, IMAGE)
      const spec = change({ ...base, process: { ...base.process, cmd: ['sh', '-c', script] } })
      return (await engine.containers.create(spec, null, files)).id
    },
    finish: async (id) => {
      const { done } = await engine.containers.wait(id, 'next-exit')
      await engine.containers.start(id)
      const exitCode = (await done)?.exitCode ?? -1
      let output = ''
      for await (const entry of engine.containers.logs(id, ALL_LOGS)) output += entry.line.toString()
      return { exitCode, output }
    },
    [Symbol.asyncDispose]: async () => {
      for (const { id } of engine.containers.list()) await engine.containers.remove(id, { force: true, volumes: true })
      await engine[Symbol.asyncDispose]()
      for (const { target } of host.mounts.list(directory).toReversed()) host.mounts.unmount(target, { lazy: true })
      await host.cgroups.remove(`/glovebox/${name}`)
      host[Symbol.dispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
