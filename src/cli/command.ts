import type { Clock } from '#base'
import type { BuildCalls, Client } from '#client'
import type { SourceFiles } from '#client/context'

import type { Flags, FlagValues, Named } from './args/flags.ts'
import type { InstancePaths } from './daemon/paths.ts'
import type { Paint } from './output/colour.ts'
import type { Terminal } from './output/terminal.ts'

/** What a command does with its words; the whole of a command is one value in one file. */
export interface Command<F extends Flags = Flags> {
  /** `run`, or `image ls` for one of a group. */
  readonly name: string
  /** What is behind the name: `[FLAGS] IMAGE [COMMAND...]`. */
  readonly usage: string
  readonly summary: string
  /** Paragraphs below the summary. */
  readonly description?: string
  readonly examples: readonly (readonly [command: string, what: string])[]
  readonly flags: F
  readonly operands: { readonly min: number; readonly max: number }
  /** What the operands name, for completion; the last stands for all that follow. */
  readonly completes?: readonly (Named | readonly string[])[]
  /** What follows the first operand is the container's command. */
  readonly stopsAtOperand?: boolean
  /** The exit code for wrong usage and an absent daemon, where those of the house are the container's own. */
  readonly failureCode?: number
  /** Resolves to the exit code. */
  readonly run: (invocation: Invocation<F>, context: CliContext) => Promise<number>
}

export interface Invocation<F extends Flags> {
  readonly flags: FlagValues<F>
  readonly operands: readonly string[]
}

export const GROUPS = [
  'Applications',
  'Environments',
  'Jobs',
  'Services',
  'Nodes',
  'Containers',
  'Images',
  'Registry',
  'Networks',
  'Volumes',
  'Secrets',
  'Understanding',
  'The daemon',
] as const
export type Group = (typeof GROUPS)[number]

/** A command in the table. Loaded only when used: starting must stay cheap. */
export interface TableEntry {
  readonly name: string
  /** The other words for it: `container ls` for `ps`. */
  readonly aliases: readonly string[]
  readonly group: Group
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** What commands have of the world. */
export interface CliContext {
  readonly terminal: Terminal
  readonly paint: Paint
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly clock: Clock
  readonly instance: InstancePaths
  /** Where the program itself lies: `build/` and `node_modules/` are in it. */
  readonly home: string
  /** Whether missing Debian packages may be installed. */
  readonly mayInstall: boolean
  /** Where docker's config.json is, if not where it usually is. */
  readonly configDir: string | undefined
  /** Every command, for those that speak of the others. */
  readonly commands: readonly TableEntry[]
  /** Loads the client on first use. */
  client(): Promise<Client>
  /** How to build: over the client, unless the daemon itself runs the command. */
  builds(): Promise<BuildCalls>
  /** How to reach the files of the caller; undefined: they are this process's. */
  readonly files: SourceFiles | undefined
  /** Aborts on the first Ctrl-C for commands that ask for it; asking takes over the signal. */
  interrupted(): AbortSignal
  /** Calls back on a signal, in place of what it does otherwise, until disposed. */
  onSignal(name: NodeJS.Signals, then: () => void): Disposable
}

/** Keeps the flags' types while the table forgets them. */
export function command<const F extends Flags>(definition: Command<F>): Command {
  return definition as unknown as Command
}
