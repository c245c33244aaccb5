import { GloveboxError } from '#base'

import { parseArguments } from './args/parse.ts'
import { commandSyntax } from './command-syntax.ts'
import type { Command } from './command.ts'
import { createContext, type Launch } from './context.ts'
import { cliError } from './errors.ts'
import { errorText, exitCodeOf } from './exit-code.ts'
import { findCommand } from './find-command.ts'
import { globalFlags } from './globals.ts'
import { commandHelp, groupHelp, overview } from './help.ts'
import { painter } from './output/colour.ts'
import { sinkOf } from './output/terminal.ts'
import { commandTable } from './table.ts'

/** Runs one command line and gives its exit code. Never rejects. */
export async function runCli(launch: Launch): Promise<number> {
  const stdout = sinkOf(launch.stdout, launch.env)
  const stderr = sinkOf(launch.stderr, launch.env)
  try {
    const before = parseArguments({ flags: globalFlags, stopsAtOperand: true, command: 'glovebox' }, launch.words)
    const words = helpWords(before.flags.version ? ['version'] : before.operands, before.flags.help)
    if (words.isHelp && words.operands.length === 0) {
      stdout.write(overview(painter(stdout.hasColour)))
      return 0
    }
    const found = findCommand(words.operands)
    if (found.kind === 'group') {
      stdout.write(groupHelp(found.name, painter(stdout.hasColour)))
      return words.isHelp ? 0 : 2
    }
    const command = await found.entry.load()
    if (words.isHelp) {
      stdout.write(commandHelp(command, painter(stdout.hasColour)))
      return 0
    }
    return await runCommand(command, before.flags.version ? [] : found.rest, before.flags, launch).catch((error: unknown) => {
      if (command.failureCode === undefined) throw error
      stderr.write(errorText(error, painter(stderr.hasColour)))
      return command.failureCode
    })
  } catch (error) {
    stderr.write(errorText(error, painter(stderr.hasColour)))
    return exitCodeOf(error)
  }
}

/** `glovebox`, `glovebox help run` and `glovebox run --help` are one thing. */
function helpWords(
  operands: readonly string[],
  isHelp: boolean,
): { readonly isHelp: boolean; readonly operands: readonly string[] } {
  if (operands.length === 0) return { isHelp: true, operands }
  return operands[0] === 'help' ? { isHelp: true, operands: operands.slice(1) } : { isHelp, operands }
}

type Globals = ReturnType<typeof parseArguments<typeof globalFlags>>['flags']

async function runCommand(command: Command, words: readonly string[], before: Globals, launch: Launch): Promise<number> {
  const { flags, operands } = parseArguments(commandSyntax(command), words)
  const merged: Globals = { ...before, ...pickGlobals(flags) }
  const stdout = sinkOf(launch.stdout, launch.env)
  if (merged.help) {
    stdout.write(commandHelp(command, painter(stdout.hasColour)))
    return 0
  }
  checkOperands(command, operands)
  return await command.run({ flags, operands }, createContext(merged, launch, commandTable))
}

/** Those of the global flags that were given behind the command's name. */
function pickGlobals(flags: Readonly<Record<string, unknown>>): Partial<Globals> {
  const given = Object.entries(flags).filter(
    ([name, value]) => Object.hasOwn(globalFlags, name) && value !== undefined && value !== false,
  )
  return Object.fromEntries(given) as Partial<Globals>
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const { min, max } = command.operands
  if (operands.length >= min && operands.length <= max) return
  const usage = `glovebox ${command.name} ${command.usage}`
  if (operands.length < min)
    throw cliError('cli.usage', `glovebox ${command.name}: something is missing`, { hint: `Usage: ${usage}` })
  throw cliError('cli.usage', `glovebox ${command.name}: unexpected ${JSON.stringify(operands[max])}`, {
    hint: `Usage: ${usage}`,
  })
}

export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && !(error instanceof GloveboxError) && 'code' in error && error.code === 'EPIPE'
}
