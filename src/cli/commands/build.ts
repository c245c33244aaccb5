import { resolve } from 'node:path'

import { isSet, list, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { pairs } from '../run/pairs.ts'
import { buildImage } from '../up/build-image.ts'

export const build = command({
  name: 'build',
  usage: '[FLAGS] DIRECTORY',
  summary: 'Build an image from a Dockerfile.',
  examples: [
    ['build -t app:1 .', 'the Dockerfile in this directory'],
    ['build -f deploy/Dockerfile --build-arg VERSION=2 -t app:2 .', 'another file, with an argument'],
  ],
  flags: {
    tag: list('NAME[:TAG]', 'Name of the image', 't'),
    file: text('FILE', 'The Dockerfile (default DIRECTORY/Dockerfile)', 'f'),
    'build-arg': list('NAME=VALUE', 'Argument; NAME alone takes the value from here'),
    label: list('NAME=VALUE', 'Label of the image'),
    target: text('STAGE', 'Build this stage'),
    network: text('MODE', 'Network of RUN: default, none or host'),
    'no-cache': isSet('Run every instruction anew'),
    quiet: isSet("Only the image's id", 'q'),
  },
  operands: { min: 1, max: 1 },
  completes: ['directory'],
  run: async ({ flags, operands }, context) => {
    const { stdout, stderr } = context.terminal
    const args = pairs(flags['build-arg'].map((word) => (word.includes('=') ? word : `${word}=${context.env[word] ?? ''}`)))
    const build = {
      context: resolve(context.cwd, operands[0] ?? '.'),
      dockerfile: flags.file === undefined ? undefined : resolve(context.cwd, flags.file),
      args,
      target: flags.target ?? null,
      tags: flags.tag,
      labels: pairs(flags.label),
      usesCache: !flags['no-cache'],
      network: flags.network,
    }
    const onLine = (line: string) => void (flags.quiet || stderr.write(`${line}\n`))
    stdout.write(`${await buildImage(build, await context.client(), onLine, context.interrupted())}\n`)
    return 0
  },
})
