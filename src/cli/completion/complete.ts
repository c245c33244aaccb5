import type { Flag, Flags, Named } from '../args/flags.ts'
import { commandSyntax } from '../command-syntax.ts'
import type { CliContext, Command } from '../command.ts'
import { longestNamed, membersOf, namesOf as wordsOf } from '../command-names.ts'
import { globalFlags } from '../globals.ts'
import type { Completion } from './completion.ts'
import { namesOf } from './names.ts'

export interface Completions {
  readonly words: readonly Completion[]
  /** What the shell adds of its own. */
  readonly rest: 'files' | 'directories' | 'none'
}

const NOTHING: Completions = { words: [], rest: 'none' }
const FILES: Completions = { words: [], rest: 'files' }

/** What may stand in place of the last of the words behind `glovebox`. Never fails: a shell has no use for a complaint. */
export async function completionsOf(words: readonly string[], context: CliContext): Promise<Completions> {
  const typed = words.at(-1) ?? ''
  const before = skipGlobals(words.slice(0, -1))
  if (before.waiting !== undefined) return await valueCompletions(before.waiting, typed, context)
  const [first] = before.rest
  if (first === undefined || first === 'help')
    return matching(typed, typed.startsWith('-') ? flagWords(globalFlags) : firstWords(context))
  const found = longestNamed(context.commands, before.rest)
  const group = before.rest.join(' ')
  if (membersOf(context.commands, group).length > 0 && !typed.startsWith('-')) {
    const subcommands = matching(typed, memberWords(group, context))
    if (found === undefined || subcommands.words.length > 0) return subcommands
  }
  if (found === undefined) return NOTHING
  return await commandCompletions(await found.entry.load(), before.rest.slice(found.length), typed, context)
}

interface Skipped {
  /** The words from the command on. */
  readonly rest: readonly string[]
  /** A global flag whose value is the word that is typed. */
  readonly waiting?: Flag
}

function skipGlobals(words: readonly string[]): Skipped {
  let at = 0
  while (words[at]?.startsWith('-') === true) {
    const word = words[at] ?? ''
    const flag = flagOf(globalFlags, word)
    at += 1
    if (flag === undefined || flag.kind === 'boolean' || word.includes('=')) continue
    if (at >= words.length) return { rest: [], waiting: flag }
    at += 1
  }
  return { rest: words.slice(at) }
}

async function commandCompletions(
  command: Command,
  before: readonly string[],
  typed: string,
  context: CliContext,
): Promise<Completions> {
  const { flags } = commandSyntax(command)
  let operands = 0
  let waiting: Flag | undefined
  let isEnded = false
  for (const word of before) {
    if (waiting !== undefined) waiting = undefined
    else if (isEnded || word === '-' || !word.startsWith('-')) {
      operands += 1
      if (command.stopsAtOperand === true) isEnded = true
    } else if (word === '--') isEnded = true
    else {
      const flag = flagOf(flags, word)
      if (flag !== undefined && flag.kind !== 'boolean' && !word.includes('=')) waiting = flag
    }
  }
  if (waiting !== undefined) return await valueCompletions(waiting, typed, context)
  if (typed.startsWith('-') && !isEnded) return await flagCompletions(flags, typed, context)
  const names = command.completes?.[Math.min(operands, command.completes.length - 1)]
  if (operands >= command.operands.max) return NOTHING
  if (names === undefined) return command.operands.max === 0 ? NOTHING : FILES
  return await nameCompletions(names, typed, context)
}

/** `--flag`, or the value behind `--flag=`, which the shell wants whole. */
async function flagCompletions(flags: Flags, typed: string, context: CliContext): Promise<Completions> {
  const equals = typed.indexOf('=')
  if (equals === -1) return matching(typed, flagWords(flags))
  const flag = flagOf(flags, typed.slice(0, equals))
  if (flag === undefined) return NOTHING
  const { words, rest } = await valueCompletions(flag, typed.slice(equals + 1), context)
  return { rest, words: words.map(({ word, about }) => ({ word: `${typed.slice(0, equals + 1)}${word}`, about })) }
}

/** The flag of a word such as `--name`, `--name=x`, `-n` or the last letter of `-itn`. */
function flagOf(flags: Flags, word: string): Flag | undefined {
  if (word.startsWith('--')) {
    const name = word.slice(2).split('=')[0] ?? ''
    return Object.hasOwn(flags, name) ? flags[name] : Object.values(flags).find((flag) => flag.aliases?.includes(name) === true)
  }
  // In `-ne`, n takes e for its value: only a letter that is last waits for one.
  for (const [i, letter] of [...word.slice(1)].entries()) {
    const flag = Object.values(flags).find((one) => one.short === letter)
    if (flag !== undefined && flag.kind !== 'boolean') return i === word.length - 2 ? flag : undefined
  }
  return undefined
}

async function valueCompletions(flag: Flag, typed: string, context: CliContext): Promise<Completions> {
  if (flag.kind === 'choice')
    return matching(
      typed,
      flag.choices.map((word) => ({ word, about: '' })),
    )
  if (flag.kind === 'boolean')
    return matching(
      typed,
      ['true', 'false'].map((word) => ({ word, about: '' })),
    )
  return flag.names === undefined ? FILES : await nameCompletions(flag.names, typed, context)
}

async function nameCompletions(names: Named | readonly string[], typed: string, context: CliContext): Promise<Completions> {
  if (typeof names !== 'string')
    return names.length === 0
      ? FILES
      : matching(
          typed,
          names.map((word) => ({ word, about: '' })),
        )
  if (names === 'file') return FILES
  if (names === 'directory') return { words: [], rest: 'directories' }
  try {
    return matching(typed, await namesOf(names, typed, await context.client()))
  } catch {
    // No daemon, no names.
    return NOTHING
  }
}

function matching(typed: string, words: readonly Completion[]): Completions {
  const fitting = words.filter(({ word }) => word.startsWith(typed))
  const unique = new Map(fitting.map((one) => [one.word, one]))
  return { rest: 'none', words: [...unique.values()].toSorted((a, b) => (a.word < b.word ? -1 : 1)) }
}

function flagWords(flags: Flags): readonly Completion[] {
  return Object.entries(flags)
    .filter(([, flag]) => flag.kind !== 'refused')
    .map(([name, flag]) => ({ word: `--${name}`, about: flag.help }))
}

function firstWords(context: CliContext): readonly Completion[] {
  const words = context.commands.flatMap((entry) =>
    wordsOf(entry).map((name) => {
      const [first = '', second] = name.split(' ')
      return { word: first, about: second === undefined ? entry.summary : `Commands about ${first}` }
    }),
  )
  // A command of its own says more than the group of its name.
  const whole = words.filter(({ about }) => !about.startsWith('Commands about'))
  return [...words, ...whole, { word: 'help', about: 'Help for a command' }]
}

function memberWords(group: string, context: CliContext): readonly Completion[] {
  return context.commands.flatMap((entry) =>
    wordsOf(entry)
      .filter((name) => name.startsWith(`${group} `) && !name.slice(group.length + 1).includes(' '))
      .map((name) => ({ word: name.slice(group.length + 1), about: entry.summary })),
  )
}
