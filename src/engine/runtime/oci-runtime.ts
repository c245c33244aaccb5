import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { messageOf, type Clock } from '#base'

import { runtimeError } from './errors.ts'
import type { OciRuntime } from './shim-arguments.ts'
import type { ShimServer } from './shim-server.ts'
import { updateArguments, type ResourceUpdate } from './update-arguments.ts'

/** The short commands of the OCI runtime. None goes through a shell, none forks the daemon. */
export interface OciCommands {
  /** Removes what the runtime and the kernel keep of a container, killing what is left of it. Fine when there is nothing. */
  delete(id: string): Promise<void>
  /** Sends a signal to every process of the container. */
  killAll(id: string, signal: number): Promise<void>
  /** Returns when every process has stopped. */
  pause(id: string): Promise<void>
  resume(id: string): Promise<void>
  update(id: string, resources: ResourceUpdate): Promise<void>
}

export interface OciCommandOptions {
  readonly server: ShimServer
  readonly runtime: OciRuntime
  readonly clock: Clock
  /** Where the cgroup hierarchies are mounted. */
  readonly cgroupRoot: string
}

/** A command that has not ended by then hangs: deleting many processes takes a second or two at worst. */
const COMMAND_TIMEOUT_MS = 30_000
/** What is kept of a command's words. */
const MAX_TEXT_BYTES = 16 * 1024
const FREEZE_POLL_MS = 2
/** Freezing waits for system calls that cannot be interrupted, such as those to a dead network file system. */
const FREEZE_TIMEOUT_MS = 10_000

export function ociCommands(options: OciCommandOptions): OciCommands {
  const { server, runtime, clock } = options
  const run = async (args: readonly string[]): Promise<void> => {
    const { exitCode, text } = await runCommand(server, [runtime.path, '--root', runtime.stateRoot, ...args], clock)
    if (exitCode !== 0) throw runtimeError('runtime.command_failed', `${args.join(' ')}: ${text || `exit code ${exitCode}`}`)
  }
  return {
    delete: (id) => run(['delete', '--force', id]),
    killAll: (id, signal) => run(['kill', '--all', id, String(signal)]),
    pause: async (id) => {
      await run(['pause', id])
      await waitUntilFrozen(id, options)
    },
    resume: (id) => run(['resume', id]),
    update: async (id, resources) => {
      const args = updateArguments(resources)
      if (args.length > 0) await run(['update', ...args, id])
    },
  }
}

export interface CommandResult {
  readonly exitCode: number
  /** What the command said on either stream, trimmed. */
  readonly text: string
}

/** Runs one program by way of the shim server. Cancelled, with the program killed, when it takes too long. */
export async function runCommand(server: ShimServer, argv: readonly string[], clock: Clock): Promise<CommandResult> {
  const done = Promise.withResolvers<number>()
  const said: Buffer[] = []
  let bytes = 0
  const connection = await server.request(
    () => ['command', ...argv],
    (fresh) => {
      fresh.listen({
        output: (_stream, piece) => {
          if (bytes < MAX_TEXT_BYTES) said.push(piece)
          bytes += piece.length
        },
        exited: (record) => done.resolve(record.exitCode),
        failed: (text) => done.reject(runtimeError('runtime.command_failed', `${argv.join(' ')}: ${text}`)),
        closed: () => done.reject(runtimeError('runtime.command_failed', `${argv.join(' ')}: the shim server died`)),
      })
    },
  )
  using _timeout = clock.after(COMMAND_TIMEOUT_MS, () =>
    done.reject(runtimeError('runtime.command_timeout', `${argv.join(' ')}: took longer than ${COMMAND_TIMEOUT_MS} ms`)),
  )
  try {
    return { exitCode: await done.promise, text: Buffer.concat(said).toString().trim() }
  } finally {
    connection.close()
  }
}

/** crun may come back while the kernel is still freezing (cgroup v1 says FREEZING, v2 `frozen 0`). */
async function waitUntilFrozen(id: string, { runtime, clock, cgroupRoot }: OciCommandOptions): Promise<void> {
  const cgroup = await cgroupPathOf(runtime, id)
  const deadlineMs = clock.monotonicMs() + FREEZE_TIMEOUT_MS
  while (!(await isFrozen(cgroupRoot, cgroup))) {
    if (clock.monotonicMs() >= deadlineMs)
      throw runtimeError('runtime.command_timeout', `pause ${id}: not all processes stopped within ${FREEZE_TIMEOUT_MS} ms`)
    await clock.sleep(FREEZE_POLL_MS)
  }
}

async function cgroupPathOf(runtime: OciRuntime, id: string): Promise<string> {
  const path = join(runtime.stateRoot, id, 'status')
  try {
    const status: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof status === 'object' && status !== null && 'cgroup-path' in status) return String(status['cgroup-path'])
    throw new Error('it names no cgroup')
  } catch (error) {
    throw runtimeError('runtime.command_failed', `read the runtime's state ${path}: ${messageOf(error)}`, { cause: error })
  }
}

async function isFrozen(cgroupRoot: string, cgroup: string): Promise<boolean> {
  const v1 = await readFile(join(cgroupRoot, 'freezer', cgroup, 'freezer.state'), 'utf8').catch(() => undefined)
  if (v1 !== undefined) return v1.trim() === 'FROZEN'
  const v2 = await readFile(join(cgroupRoot, cgroup, 'cgroup.events'), 'utf8').catch(() => '')
  return /^frozen 1$/m.test(v2)
}
