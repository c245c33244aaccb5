import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { tracesOf } from './host-traces.ts'
import { type Ended, run, spawnProgram, until } from './processes.ts'

const HOME = join(import.meta.dirname, '../..')
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000
/** Processes that were killed last need a moment to be gone from /proc. */
const GONE_TIMEOUT_MS = 5_000

/** A daemon of a test's own: fresh root, run directory and socket, and a name that all of its traces on the host carry. */
export interface TestDaemon {
  readonly directory: string
  readonly socketPath: string
  readonly name: string
  /** The real launcher, for this instance. */
  glovebox(...words: readonly string[]): Promise<Ended>
  log(): string
  /** Ends it as users do, and fails when anything of it is left on the host. */
  stop(): Promise<void>
}

/** `prepare` makes its directory ready, such as with a small disk; what it gives is disposed of after the daemon's end. */
export async function startDaemon(
  flags: readonly string[] = [],
  prepare?: (directory: string) => Disposable,
): Promise<TestDaemon> {
  const directory = mkdtempSync(join(tmpdir(), 'glovebox-test-'))
  const prepared = prepare?.(directory)
  const name = `t-${randomUUID().slice(0, 6)}`
  const place = ['--root', join(directory, 'root'), '--run-dir', join(directory, 'run'), '--instance-name', name]
  const launcher = join(HOME, 'glovebox')
  const daemon = spawnProgram(launcher, [...place, 'daemon', ...flags])
  const glovebox = (...words: readonly string[]) => run(launcher, [...place, ...words], { timeoutMs: STOP_TIMEOUT_MS })
  await until('the daemon to answer', START_TIMEOUT_MS, async () => {
    const isReady = daemon.output().includes('ready socket=')
    return await Promise.resolve(isReady || daemon.code() !== null ? true : undefined)
  })
  if (daemon.code() !== null) throw new Error(`the daemon ended with ${daemon.code()}:\n${daemon.output()}`)
  const stop = async () => {
    const stopped = await glovebox('daemon', 'stop')
    if (stopped.code !== 0) daemon.kill('SIGKILL')
    await daemon.finish()
    prepared?.[Symbol.dispose]()
    rmSync(directory, { recursive: true, force: true })
    if (stopped.code !== 0) throw new Error(`stop the daemon: ${stopped.stderr}${stopped.stdout}\n${daemon.output()}`)
    await until('nothing to be left of the daemon', GONE_TIMEOUT_MS, async () => {
      const left = await tracesOf(directory, name)
      if (left.length > 0) throw new Error(`left on the host: ${left.join(', ')}`)
      return true
    })
  }
  return { directory, socketPath: join(directory, 'run/docker.sock'), name, glovebox, log: daemon.output, stop }
}
