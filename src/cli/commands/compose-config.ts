import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { messageOf } from '#base'
import { type ComposeReading, modelText, printableModel, templateDigest } from '#cluster/spec'

import { choice, isSet, naming, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { painter } from '../output/colour.ts'
import { readComposeFile } from '../up/compose-file.ts'
import { composeChoice, composeFlags } from '../up/compose-flags.ts'

/** Each prints one part of the model, a line each. */
const PARTS: Readonly<
  Record<'services' | 'images' | 'volumes' | 'networks' | 'profiles', (reading: ComposeReading) => readonly string[]>
> = {
  services: ({ spec }) => spec.services.map(({ name }) => name),
  images: ({ spec }) => [...new Set(spec.services.map(({ task }) => task.image))],
  volumes: ({ spec }) => spec.volumes.map(({ key }) => key),
  networks: ({ spec }) => spec.networks.map(({ key }) => key),
  profiles: ({ profileNames }) => profileNames,
}

export const composeConfig = command({
  name: 'compose config',
  usage: '[FLAGS] [DIRECTORY|FILE]',
  summary: 'Check Compose files and print what they say together.',
  description:
    'Merges the files, fills in variables, takes in what they extend and include, and prints one file that stands for itself. All problems are told at once, each with its file, line and column.',
  examples: [
    ['compose config', 'the application in this directory'],
    ['compose config -q', 'only whether it is in order'],
    ['compose config -f compose.yaml -f production.yaml --format json', 'of two files, for programs'],
  ],
  flags: {
    ...composeFlags,
    format: choice(['yaml', 'json'], 'In which form (default: yaml)'),
    quiet: isSet('Print nothing', 'q'),
    services: isSet('Only names of services'),
    images: isSet('Only references of images'),
    volumes: isSet('Only names of volumes'),
    networks: isSet('Only names of networks'),
    profiles: isSet('Only names of profiles'),
    hash: text('SERVICES', 'Only what tells whether a service changed; several with commas, or *'),
    output: naming('file', text('FILE', 'Write to this file', 'o')),
  },
  operands: { min: 0, max: 1 },
  completes: ['directory'],
  run: async ({ flags, operands }, context) => {
    const { stdout, stderr } = context.terminal
    const reading = await readComposeFile(composeChoice(flags, operands), context)
    const paint = painter(stderr.hasColour)
    for (const warning of reading.warnings) stderr.write(`${paint('yellow', 'warning:')} ${warning}\n`)
    if (flags.quiet) return 0
    const parts = (Object.keys(PARTS) as (keyof typeof PARTS)[]).filter((name) => flags[name])
    const lines = [
      ...parts.flatMap((name) => PARTS[name](reading)),
      ...(flags.hash === undefined ? [] : hashLines(reading, flags.hash)),
    ]
    const isWhole = parts.length === 0 && flags.hash === undefined
    const printed = isWhole
      ? modelText(printableModel(reading), flags.format ?? 'yaml')
      : lines.map((line) => `${line}\n`).join('')
    if (flags.output === undefined) stdout.write(printed)
    else writeTo(resolve(context.cwd, flags.output), printed)
    return 0
  },
})

function hashLines({ spec }: ComposeReading, wanted: string): readonly string[] {
  const names = wanted === '*' ? spec.services.map(({ name }) => name) : wanted.split(',')
  return names.map((name) => {
    const service = spec.services.find((candidate) => candidate.name === name)
    if (service === undefined) throw cliError('cli.not_found', `compose config: there is no service ${name}`)
    return `${name} ${templateDigest(service)}`
  })
}

function writeTo(path: string, content: string): void {
  try {
    writeFileSync(path, content)
  } catch (error) {
    throw cliError('cli.failed', `write ${path}: ${messageOf(error)}`, { cause: error })
  }
}
