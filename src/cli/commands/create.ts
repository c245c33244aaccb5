import { command } from '../command.ts'
import { attachmentOf, createContainer } from '../run/create-container.ts'
import { withImageHint } from '../run/exit-codes.ts'
import { createFlags } from '../run/flags.ts'

export const create = command({
  name: 'create',
  usage: '[FLAGS] IMAGE [COMMAND...]',
  summary: 'Create a container without starting it, and print its id.',
  examples: [['create --name web -p 8080:80 web:1', 'for `start web` later']],
  flags: createFlags,
  operands: { min: 1, max: Infinity },
  completes: ['image', []],
  stopsAtOperand: true,
  run: async ({ flags, operands }, context) => {
    const [image = '', ...words] = operands
    const attachment = attachmentOf(flags, false, context)
    try {
      const id = await createContainer({ image, words, flags, attachment }, await context.client(), context)
      context.terminal.stdout.write(`${id}\n`)
      return 0
    } catch (error) {
      throw withImageHint(error, image)
    }
  },
})
