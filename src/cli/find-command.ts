import { nearest } from '#base'
import { cliError } from './errors.ts'
import { longestNamed, membersOf, namesOf } from './command-names.ts'
import type { TableEntry } from './command.ts'
import { commandTable, hiddenCommands, REFUSED } from './table.ts'

export type Found =
  | { readonly kind: 'command'; readonly entry: TableEntry; readonly rest: readonly string[] }
  /** `glovebox image`: a group without its second word. */
  | { readonly kind: 'group'; readonly name: string }

/** Finds the command that the words begin with, the longest name first. Errors: `cli.usage`, with the nearest command. */
export function findCommand(words: readonly string[]): Found {
  const everyCommand = [...commandTable, ...hiddenCommands]
  const [first = '', second] = words
  const named = longestNamed(everyCommand, words)
  if (named !== undefined) return { kind: 'command', entry: named.entry, rest: words.slice(named.length) }
  const members = membersOf(commandTable, first)
  if (members.length > 0 && (second === undefined || second.startsWith('-'))) return { kind: 'group', name: first }
  for (const name of [`${first} ${second ?? ''}`, first]) {
    const advice = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
    if (advice !== undefined) throw cliError('cli.unsupported', `${name} is not supported`, { hint: advice })
  }
  if (members.length > 0) throw unknown(`${first} ${second ?? ''}`, members)
  throw unknown(first, [...commandTable.flatMap(namesOf), 'help'])
}

function unknown(typed: string, names: readonly string[]): Error {
  const guess = nearest(typed, names)
  return cliError('cli.usage', `unknown command ${JSON.stringify(typed)}`, {
    hint: guess === undefined ? 'Run `glovebox help` for all commands.' : `Did you mean \`glovebox ${guess}\`?`,
  })
}
