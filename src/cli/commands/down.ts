import { isKind } from '#base'

import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { readComposeFile } from '../up/compose-file.ts'
import { composeChoice, composeFlags } from '../up/compose-flags.ts'

export const down = command({
  name: 'down',
  usage: '[FLAGS] [DIRECTORY|FILE]',
  summary: 'Stop and remove an application: its containers and networks, and with --volumes its data.',
  examples: [
    ['down', 'the application in this directory; its data stays'],
    ['down --name staging --volumes', 'another one, with its data'],
  ],
  flags: {
    ...composeFlags,
    volumes: isSet('Also its volumes, and with them its data', 'v'),
  },
  operands: { min: 0, max: 1 },
  run: async ({ flags, operands }, context) => {
    // A name alone needs no file: the daemon knows what belongs to it.
    const name =
      flags.name !== undefined && operands.length === 0 && flags.file.length === 0
        ? flags.name
        : (await readComposeFile({ ...composeChoice(flags, operands), profiles: ['*'] }, context)).spec.name
    const client = await context.client()
    try {
      await client.glovebox.removeStack(name, { volumes: flags.volumes })
    } catch (error) {
      if (!isKind(error, 'not_found')) throw error
      context.terminal.stdout.write(`${name}: nothing to do\n`)
      return 0
    }
    context.terminal.stdout.write(`${name}: removed${flags.volumes ? ', with its volumes' : '; its volumes stay'}\n`)
    return 0
  },
})
