import type { BuildsPort, CommandCall, CommandMessage, CommandStream, CommandStreams, WireError } from '#api/glovebox'
import { type BuildCalls, buildCallsOf, refusalOf } from '#client'
import type { SourceFiles } from '#client/context'

import { parseArguments } from './args/parse.ts'
import type { buildFlags } from './build/flags.ts'
import { runCli } from './cli.ts'
import { commandSyntax } from './command-syntax.ts'
import { readConfig } from './credentials/config-file.ts'
import { cliError } from './errors.ts'
import { findCommand } from './find-command.ts'

/** What a daemon has for a build that it runs for a caller. */
export interface BuildServing {
  readonly builds: BuildsPort
  /** Errors of the daemon as it tells them: its classes are not those of this bundle. */
  readonly told: (error: unknown) => WireError
  /** The caller's files. */
  readonly files: SourceFiles
  readonly socketPath: string
}

/** Flags that need nothing of the caller's but their words: no file, no variable, no agent, no standard input. */
const SERVED: ReadonlySet<string> = new Set<keyof typeof buildFlags>([
  ...(['tag', 'file', 'build-arg', 'label', 'target', 'allow', 'network', 'platform', 'pull', 'no-cache'] as const),
  ...([
    'no-cache-filter',
    'progress',
    'quiet',
    'check',
    'call',
    'load',
    'memory',
    'shm-size',
    'cpu-shares',
    'cpu-period',
  ] as const),
  ...(['cpu-quota', 'cpuset-cpus', 'provenance', 'sbom', 'attest'] as const),
])

/**
 * Runs `glovebox build DIRECTORY` for a caller on this machine, as their own process would: the same words on the same streams, the same exit
 * code, which it resolves to. null: it is theirs to run, and nothing was written. That is so for other commands, for flags that need more of the
 * caller than their files, and for whatever fails before the builder is at work.
 */
export async function servedBuild(call: CommandCall, streams: CommandStreams, serving: BuildServing): Promise<number | null> {
  if (!(await isServed(call, serving.files))) return null
  const output = heldOutput(streams)
  const signals = callerSignals(streams)
  const stdout = stream('stdout', call.stdout, output)
  const stderr = stream('stderr', call.stderr, output)
  void signals.follow((message) => {
    if (message.kind === 'resized') {
      resize(stdout, message.stdout)
      resize(stderr, message.stderr)
      // Whoever was interrupted wants to see the end of this one, and no other try.
    } else output.release()
  })
  const code = await runCli({
    words: ['--socket', serving.socketPath, ...call.words],
    env: { ...call.env, DOCKER_CONFIG: configDirectory(call, serving.files) },
    cwd: call.cwd,
    home: '/',
    stdin: () => {
      throw new Error('a build that is run for somebody has no standard input')
    },
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    onSignal: signals.on,
    served: { files: serving.files, builds: pacedBuilds(serving, output) },
  })
  if (code !== 0 && !output.isReleased()) return null
  output.release()
  return code
}

async function isServed(call: CommandCall, files: SourceFiles): Promise<boolean> {
  try {
    const found = findCommand(call.words)
    if (found.kind !== 'command' || found.entry.name !== 'build') return false
    const { flags, operands } = parseArguments(commandSyntax(await found.entry.load()), found.rest)
    const [place, ...more] = operands
    const { isAddress } = await import('#client/context')
    if (place === undefined || place === '-' || more.length > 0 || isAddress(place)) return false
    const given = Object.entries(flags).filter(([, value]) => isGiven(value))
    const isPlain = given.every(([name]) => SERVED.has(name)) && flags['file'] !== '-'
    const args = flags['build-arg'] as unknown as readonly string[]
    return isPlain && args.every((word) => word.includes('=')) && !(await hasCredentialProgram(call, files))
  } catch {
    // The program itself says what is wrong with the words.
    return false
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
}

/** Programs that keep credentials are the caller's to start. */
async function hasCredentialProgram(call: CommandCall, files: SourceFiles): Promise<boolean> {
  const { credsStore, credHelpers } = await readConfig({ env: {}, configDir: configDirectory(call, files) })
  return (credsStore ?? '') !== '' || Object.keys(credHelpers ?? {}).length > 0
}

function configDirectory({ env, cwd }: CommandCall, files: SourceFiles): string {
  const directory = env['DOCKER_CONFIG'] || `${env['HOME'] ?? '/root'}/.docker`
  return files.at(directory.startsWith('/') ? directory : `${cwd}/${directory}`)
}

/** What is written waits until it is certain that the command runs here. */
interface HeldOutput {
  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): boolean
  drained(): Promise<void>
  release(): void
  isReleased(): boolean
  /** False: what was written waits for the caller to take it. */
  hasRoom(): boolean
}

function heldOutput(streams: CommandStreams): HeldOutput {
  let held: (readonly ['stdout' | 'stderr', Uint8Array])[] | undefined = []
  let hasRoom = true
  const write: HeldOutput['write'] = (name, bytes) => {
    if (held !== undefined) {
      held.push([name, bytes])
      return true
    }
    hasRoom = streams.write(name, bytes)
    return hasRoom
  }
  return {
    write,
    drained: async () => {
      await streams.drained()
      hasRoom = true
    },
    release: () => {
      const before = held ?? []
      held = undefined
      for (const [name, bytes] of before) write(name, bytes)
    },
    isReleased: () => held === undefined,
    hasRoom: () => hasRoom,
  }
}

/** As much of a stream as the command line looks at. */
interface CallerStream {
  isTTY: boolean
  columns: number
  rows: number
  write(part: string | Uint8Array): boolean
  once(event: string, then: () => void): void
}

function stream(name: 'stdout' | 'stderr', { isTty, columns, rows }: CommandStream, output: HeldOutput): CallerStream {
  return {
    isTTY: isTty,
    columns,
    rows,
    write: (part) => output.write(name, typeof part === 'string' ? Buffer.from(part) : part),
    once: (event, then) => {
      if (event === 'drain') void output.drained().then(then)
    },
  }
}

function resize(of: CallerStream, { columns, rows }: CommandStream): void {
  of.columns = columns
  of.rows = rows
}

function callerSignals({ gone, messages }: CommandStreams) {
  const listeners = new Set<{ readonly name: string; readonly call: () => void }>()
  const raise = (name: string) => {
    for (const listener of [...listeners]) if (listener.name === name) listener.call()
  }
  // Nobody is left to see how it ends.
  gone.addEventListener('abort', () => raise('SIGTERM'), { once: true })
  return {
    on: (name: NodeJS.Signals, then: () => void): Disposable => {
      const listener = { name, call: then }
      listeners.add(listener)
      if (gone.aborted && name === 'SIGTERM') then()
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    follow: async (seen: (message: CommandMessage) => void) => {
      try {
        for await (const message of messages) {
          seen(message)
          if (message.kind === 'signal') raise(message.name)
        }
      } catch {
        // What is no message means that the caller is not what it seems: its command goes on, without further signals.
      }
    },
  }
}

/**
 * The builder without a connection between. Failures read as those that come over one. The next report waits until the caller has taken what the
 * last one made it write; then the builder's own bound holds.
 */
function pacedBuilds({ builds, told }: BuildServing, output: HeldOutput): BuildCalls {
  const refused = (error: unknown): never => {
    throw refusalOf(told(error))
  }
  return buildCallsOf({
    ...builds,
    compare: async (key, entries) => await builds.compare(key, entries).catch(refused),
    build: async function* (session, wish, bodies, signal = new AbortController().signal) {
      try {
        for await (const report of builds.build(session, wish, bodies, signal)) {
          output.release()
          yield report
          if (!output.hasRoom()) await output.drained()
        }
      } catch (error) {
        // As with a connection that was cut on purpose: nothing more comes.
        if (!signal.aborted) refused(error)
      }
    },
    output: async () => {
      throw cliError('cli.unsupported', 'the output of a build is taken by its caller')
    },
  })
}
