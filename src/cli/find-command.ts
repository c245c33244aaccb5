import { nearest } from './args/nearest.ts'
import { cliError } from './errors.ts'
import type { TableEntry } from './command.ts'
import { ALIASES, commandTable } from './table.ts'

export type Found =
  | { readonly kind: 'command'; readonly entry: TableEntry; readonly rest: readonly string[] }
  /** `glovebox image`: a group without its second word. */
  | { readonly kind: 'group'; readonly name: string }

/** Finds the command that the words begin with, the longest name first. Errors: `cli.usage`, with the nearest command. */
export function findCommand(words: readonly string[]): Found {
  const [first = '', second] = words
  const two = second === undefined ? undefined : named(`${first} ${second}`)
  if (two !== undefined) return { kind: 'command', entry: two, rest: words.slice(2) }
  const one = named(first)
  if (one !== undefined) return { kind: 'command', entry: one, rest: words.slice(1) }
  const members = commandTable.filter((entry) => entry.name.startsWith(`${first} `))
  if (members.length > 0 && (second === undefined || second.startsWith('-'))) return { kind: 'group', name: first }
  if (members.length > 0)
    throw unknown(
      `${first} ${second ?? ''}`,
      members.map((entry) => entry.name),
    )
  throw unknown(first, [...commandTable.map((entry) => entry.name), ...Object.keys(ALIASES), 'help'])
}

function named(name: string): TableEntry | undefined {
  const meant = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name
  return commandTable.find((entry) => entry.name === meant)
}

function unknown(typed: string, names: readonly string[]): Error {
  const guess = nearest(typed, names)
  return cliError('cli.usage', `unknown command ${JSON.stringify(typed)}`, {
    hint: guess === undefined ? 'Run `glovebox help` for all commands.' : `Did you mean \`glovebox ${guess}\`?`,
  })
}
