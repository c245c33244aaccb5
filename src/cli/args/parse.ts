import { cliError } from '../errors.ts'
import { type Flag, type Flags, type FlagValues, readFlagValue } from './flags.ts'
import { nearest } from '#base'

export interface ArgumentSyntax<F extends Flags> {
  readonly flags: F
  /** `run` and `exec` stop at their first operand: what follows belongs to the container's command. */
  readonly stopsAtOperand: boolean
  /** For messages: `glovebox run`. */
  readonly command: string
}

export interface ParsedArguments<F extends Flags> {
  readonly flags: FlagValues<F>
  readonly operands: readonly string[]
}

/**
 * Reads `--flag value`, `--flag=value`, `-f value`, `-fvalue` and grouped booleans (`-it`); `--` ends the flags.
 * A flag given twice keeps its last value, lists gather. Errors: `cli.usage`, `cli.unsupported`.
 */
export function parseArguments<F extends Flags>(syntax: ArgumentSyntax<F>, words: readonly string[]): ParsedArguments<F> {
  const reading: Reading = { syntax, words, at: 0, values: emptyValues(syntax.flags), operands: [] }
  while (reading.at < words.length) {
    const word = words[reading.at] ?? ''
    reading.at += 1
    if (word === '--') {
      reading.operands.push(...words.slice(reading.at))
      break
    }
    if (word.startsWith('--')) readLong(reading, word.slice(2))
    else if (word.startsWith('-') && word !== '-') readShorts(reading, word.slice(1))
    else {
      reading.operands.push(word)
      if (!syntax.stopsAtOperand) continue
      reading.operands.push(...words.slice(reading.at))
      break
    }
  }
  return { flags: Object.fromEntries(reading.values) as FlagValues<F>, operands: reading.operands }
}

interface Reading {
  readonly syntax: ArgumentSyntax<Flags>
  readonly words: readonly string[]
  at: number
  readonly values: Map<string, unknown>
  readonly operands: string[]
}

function emptyValues(flags: Flags): Map<string, unknown> {
  return new Map(
    Object.entries(flags).map(([name, flag]) => [
      name,
      flag.kind === 'boolean' ? flag.isOn === true : flag.kind === 'list' ? [] : undefined,
    ]),
  )
}

function readLong(reading: Reading, word: string): void {
  const equals = word.indexOf('=')
  const typed = equals === -1 ? word : word.slice(0, equals)
  const found = flagNamed(reading.syntax.flags, typed)
  if (found === undefined) throw unknownFlag(reading.syntax, `--${typed}`, typed)
  const [name, flag] = found
  if (flag.kind === 'refused') throw refusal(reading.syntax, `--${name}`, flag.help)
  if (equals !== -1) return store(reading, name, flag, word.slice(equals + 1))
  store(reading, name, flag, flag.kind === 'boolean' ? 'true' : nextWord(reading, `--${name}`))
}

function readShorts(reading: Reading, letters: string): void {
  for (let i = 0; i < letters.length; i += 1) {
    const letter = letters[i] ?? ''
    const found = Object.entries(reading.syntax.flags).find(([, flag]) => flag.short === letter)
    if (found === undefined) throw unknownFlag(reading.syntax, `-${letter}`, letters.length > 2 ? letters : '')
    const [name, flag] = found
    if (flag.kind === 'refused') throw refusal(reading.syntax, `-${letter} (--${name})`, flag.help)
    if (flag.kind === 'boolean' && letters[i + 1] !== '=') {
      store(reading, name, flag, 'true')
      continue
    }
    const rest = letters.slice(i + 1).replace(/^=/, '')
    return store(reading, name, flag, i + 1 < letters.length ? rest : nextWord(reading, `-${letter}`))
  }
}

function flagNamed(flags: Flags, name: string): readonly [string, Flag] | undefined {
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
  return flag === undefined ? Object.entries(flags).find(([, one]) => one.aliases?.includes(name) === true) : [name, flag]
}

function refusal(syntax: ArgumentSyntax<Flags>, shown: string, why: string): Error {
  return cliError('cli.unsupported', `${syntax.command}: ${shown} is not supported: ${why}`)
}

function nextWord(reading: Reading, name: string): string {
  const word = reading.words[reading.at]
  if (word === undefined)
    throw cliError('cli.usage', `${reading.syntax.command}: ${name} needs a value`, { hint: helpHint(reading.syntax.command) })
  reading.at += 1
  return word
}

function store(reading: Reading, name: string, flag: Flag, raw: string): void {
  const read = readFlagValue(flag, `--${name}`, raw)
  if ('wrong' in read)
    throw cliError('cli.usage', `${reading.syntax.command}: ${read.wrong}`, { hint: helpHint(reading.syntax.command) })
  const before = reading.values.get(name)
  reading.values.set(name, flag.kind === 'list' && Array.isArray(before) ? [...before, read.value] : read.value)
}

function unknownFlag(syntax: ArgumentSyntax<Flags>, shown: string, name: string): Error {
  const guess = name === '' ? undefined : nearest(name, knownNames(syntax.flags))
  return cliError('cli.usage', `${syntax.command}: unknown flag ${shown}`, {
    hint: guess === undefined ? helpHint(syntax.command) : `Did you mean --${guess}?`,
  })
}

function helpHint(command: string): string {
  return `Run \`${command} --help\` for what it takes.`
}

function knownNames(flags: Flags): readonly string[] {
  return Object.entries(flags)
    .filter(([, flag]) => flag.kind !== 'refused')
    .map(([name]) => name)
}
