import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { during, type Clock } from '#base'
import { encodeRuntimeSpec, type RuntimeProcess, type RuntimeSpec } from '#oci/runtime-spec'

import { adoptShim, type Adopted } from './adopt.ts'
import { compiledFilters } from './compiled-filters.ts'
import { enterArguments } from './enter-arguments.ts'
import { ociCommands, type OciCommands } from './oci-runtime.ts'
import { prepareExec, type PreparedExec } from './prepared-exec.ts'
import { runningContainers } from './running-container.ts'
import type { RunningProcess } from './running-process.ts'
import { shimArguments, type OciRuntime, type ShimOptions } from './shim-arguments.ts'
import type { ShimConnection } from './shim-connection.ts'
import { shimServer } from './shim-server.ts'
import { startShim } from './start-shim.ts'

interface ProcessStart extends ShimOptions {
  /** The container's id, by which the OCI runtime knows it. */
  readonly id: string
  /** Runs before the start: listeners added to the first connection miss no byte and no event, and what is sent waits for the program. */
  readonly onConnected?: (connection: ShimConnection) => void
}

export interface ContainerStart extends ProcessStart {
  /** Absolute directory with config.json, or the one to write it to. */
  readonly bundle: string
  /** Written as the bundle's config.json, its seccomp profile replaced by the filter it compiles to once that is known. */
  readonly spec?: RuntimeSpec
}

export interface ExecStart extends ProcessStart {
  /** Asked for once, while the shim is being forked. */
  readonly process: () => RuntimeProcess
  /** Of the same process and in the same directory: if it is still ready, it only has to go. */
  readonly prepared?: PreparedExec | undefined
}

/** OCI bundles to processes. What it starts outlives the daemon, and is taken up again by `adopt`. */
export interface Runtime extends OciCommands {
  /** Rejects with `runtime.start_failed`, which carries the OCI runtime's words and in `details.exitCode` 125, 126 or 127. */
  start(options: ContainerStart): Promise<RunningProcess>
  exec(options: ExecStart): Promise<RunningProcess>
  /** Does all of an exec but the execution of its program. What fails, `onAsked` among it, shows when it is started. */
  prepare(options: Omit<ExecStart, 'prepared' | 'subscription' | 'onConnected'>, onAsked: () => void): PreparedExec
  /** By the directory that was given at its start. */
  adopt(dir: string): Promise<Adopted>
  /** Lets go of everything without ending any process. */
  close(): void
}

export interface RuntimeOptions {
  /** The compiled shim. */
  readonly shimPath: string
  readonly runtime: OciRuntime
  /** Absolute path for the socket of the shim server, in a directory that only the daemon's user may enter. */
  readonly socketPath: string
  readonly clock: Clock
  readonly cgroupRoot?: string
  /** Absolute directory for compiled seccomp filters, which then outlive the daemon. Made when needed. */
  readonly filterDir?: string
}

export function shimRuntime(options: RuntimeOptions): Runtime {
  const { runtime, clock } = options
  const server = shimServer(options)
  const runningContainer = runningContainers(runtime.stateRoot)
  const filters = compiledFilters({ stateRoot: runtime.stateRoot, filterDir: options.filterDir })
  const inDir =
    ({ dir }: ProcessStart, words: () => readonly string[]) =>
    () => {
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      return words()
    }
  const start = async (words: () => readonly string[], o: ProcessStart): Promise<RunningProcess> =>
    await startShim(server, inDir(o, words), o.dir, clock, o.onConnected)
  const enterWords = (o: Omit<ExecStart, 'prepared'>, isHeld: boolean) => () =>
    enterArguments(o.process(), runningContainer(o.id), { ...o, isHeld })
  const writeSpec = async (bundle: string, spec: RuntimeSpec): Promise<string | undefined> => {
    const prepared = await filters.prepare(spec)
    // One small file in the page cache: a trip through the thread pool takes longer.
    mkdirSync(bundle, { recursive: true, mode: 0o700 })
    writeFileSync(join(bundle, 'config.json'), encodeRuntimeSpec(prepared.spec))
    return prepared.unknownKey
  }
  return {
    ...ociCommands({ server, runtime, clock, cgroupRoot: options.cgroupRoot ?? '/sys/fs/cgroup' }),
    start: async (o) => {
      try {
        const key = o.spec === undefined ? undefined : await writeSpec(o.bundle, o.spec)
        const process = await start(() => shimArguments(runtime, o), o)
        if (key !== undefined) void filters.learn(key, o.id)
        return process
      } catch (error) {
        throw during('start the process', error)
      }
    },
    exec: async (o) => {
      try {
        return o.prepared?.isReady === true ? await o.prepared.start(o) : await start(enterWords(o, false), o)
      } catch (error) {
        throw during('start the process', error)
      }
    },
    prepare: (o, onAsked) => prepareExec(server, inDir(o, enterWords(o, true)), o.dir, clock, onAsked),
    adopt: (dir) => adoptShim(dir, clock),
    close: () => server.close(),
  }
}
