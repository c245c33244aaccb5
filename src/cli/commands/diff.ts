import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { isKind } from '#base'
import type { Client } from '#client'

import { command } from '../command.ts'
import type { CliContext } from '../command.ts'
import { cliError } from '../errors.ts'
import { planDetails } from '../services/plan-page.ts'
import { planFormatFlag, printPlan } from '../services/print-plan.ts'
import { readComposeFile, type ComposeChoice } from '../up/compose-file.ts'
import { composeChoice, composeFlags } from '../up/compose-flags.ts'
import { previewOf, titlesOf } from '../up/preview.ts'

const LETTERS = ['C', 'A', 'D'] as const

export const diff = command({
  name: 'diff',
  usage: '[FLAGS] [DIRECTORY|FILE|APPLICATION|CONTAINER]',
  summary: 'Show what `up` would change, field by field; or what a container changed in its file system.',
  description:
    'Without a name: the application in this directory. The name of a container shows its files, as `glovebox container diff` does; a directory, a file or the name of an application that runs shows what its Compose file says otherwise than what is wanted now: services, networks, volumes, secrets and routes. A name of both kinds is refused. Exit code 0: there is no difference, or it is about a container; 1: there is one.',
  examples: [
    ['diff', 'the application in this directory'],
    ['diff examples/guestbook', 'one elsewhere'],
    ['diff -f compose.yaml -f compose.prod.yaml', 'of several files'],
    ['diff web', 'the files of a container, against its image: A is added, C changed, D deleted'],
  ],
  flags: { ...composeFlags, format: planFormatFlag },
  operands: { min: 0, max: 1 },
  completes: ['container'],
  run: async ({ flags, operands }, context) => {
    const [word] = operands
    const isFile = flags.file.length > 0
    const meaning = word === undefined || isFile ? ('file' as const) : await meaningOf(word, context)
    if (meaning === 'container') return await showFiles(word ?? '', context)
    const chosen = composeChoice(flags, operands)
    return await showChanges(
      meaning === 'file' ? chosen : await choiceOfStack(word ?? '', chosen, context),
      flags.format,
      context,
    )
  },
})

export const containerDiff = command({
  name: 'container diff',
  usage: 'CONTAINER',
  summary: 'Show what a container changed in its file system.',
  description: 'A is added, C changed, D deleted. Volumes are not looked into.',
  examples: [['container diff web', 'against its image']],
  flags: {},
  operands: { min: 1, max: 1 },
  completes: ['container'],
  run: async ({ operands: [container = ''] }, context) => await showFiles(container, context),
})

async function showFiles(container: string, context: CliContext): Promise<number> {
  const client = await context.client()
  for (const { Kind, Path } of await client.containers.changes(container))
    context.terminal.stdout.write(`${LETTERS[Kind] ?? '?'} ${Path}\n`)
  return 0
}

async function showChanges(chosen: ComposeChoice, format: string | undefined, context: CliContext): Promise<number> {
  const { stderr } = context.terminal
  const reading = await readComposeFile(chosen, context)
  const plan = await previewOf(reading, await context.client())
  if (format === undefined || format === 'table')
    for (const warning of plan.warnings) stderr.write(`${context.paint('yellow', 'note:')} ${warning}\n`)
  const { name } = reading.spec
  const isEmpty = plan.operations.length === 0
  const text = isEmpty ? `${name}: nothing to change\n` : planDetails(plan, titlesOf(name), context.paint)
  printPlan(plan, format, text, context)
  return plan.operations.length === 0 ? 0 : 1
}

/** What a word names. A path is one that looks like it, or that is there. Error: `cli.usage` for a name of several kinds. */
async function meaningOf(word: string, context: CliContext): Promise<'file' | 'container' | 'stack'> {
  const isPath = existsSync(resolve(context.cwd, word))
  if (word.includes('/') || word === '.' || word === '..') return 'file'
  const client = await context.client()
  const [isContainer, isStack] = await Promise.all([
    isThere(async () => await client.containers.inspect(word)),
    isThere(async () => await client.glovebox.stack(word)),
  ])
  if (isContainer && (isStack || isPath))
    throw cliError(
      'cli.usage',
      `${word} is the name of a container and of ${isStack ? 'an application' : 'a file or directory'}`,
      {
        hint: `Say \`glovebox container diff ${word}\`, or ${isStack ? `\`glovebox diff --name ${word} -f FILE\`` : `\`glovebox diff ./${word}\``}.`,
      },
    )
  if (isPath) return 'file'
  // Whoever knows none of them is told of containers, as docker does.
  return isStack && !isContainer ? 'stack' : 'container'
}

async function isThere(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look()
    return true
  } catch (error) {
    if (isKind(error, 'not_found') || isKind(error, 'invalid') || isKind(error, 'conflict')) return false
    throw error
  }
}

/** Where the application was read from when it was last brought up. */
async function choiceOfStack(name: string, choice: ComposeChoice, context: CliContext): Promise<ComposeChoice> {
  const client: Client = await context.client()
  const { directory } = await client.glovebox.stack(name)
  return { ...choice, place: directory, stackName: name }
}
