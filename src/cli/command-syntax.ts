import type { Flag, Flags } from './args/flags.ts'
import type { ArgumentSyntax } from './args/parse.ts'
import type { Command } from './command.ts'
import { globalFlags } from './globals.ts'

/** Behind a command these words are the command's business: `glovebox rm -v`. */
const BEFORE_ONLY = ['version', 'context']

/** How a command's words are read: its own flags and the global ones. Its own win over a global one of their name or letter: `run -h` is the host name. */
export function commandSyntax(command: Command): ArgumentSyntax<Flags & typeof globalFlags> {
  const letters = new Set(Object.values(command.flags).map((flag: Flag) => flag.short))
  const globals = Object.entries(globalFlags)
    .filter(([name]) => !BEFORE_ONLY.includes(name))
    .map(([name, flag]) => [name, withoutTaken(flag, letters)])
  return {
    flags: { ...(Object.fromEntries(globals) as typeof globalFlags), ...command.flags },
    stopsAtOperand: command.stopsAtOperand ?? false,
    command: `glovebox ${command.name}`,
  }
}

function withoutTaken(flag: Flag, taken: ReadonlySet<string | undefined>): Flag {
  if (flag.short === undefined || !taken.has(flag.short)) return flag
  const { short: _short, ...rest } = flag
  return rest
}
