import { isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { errorText, exitCodeOf } from '../exit-code.ts'

export const imageRm = command({
  name: 'image rm',
  usage: '[FLAGS] IMAGE...',
  summary: 'Remove images.',
  description: 'A name goes first; the image itself goes with its last name.',
  examples: [['image rm app:1', 'one name']],
  flags: {
    force: isSet('Also when a stopped container was made from it', 'f'),
    'no-prune': isSet('Keep nameless images that only this one stood on'),
  },
  operands: { min: 1, max: Infinity },
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    let code = 0
    for (const image of operands) {
      try {
        const gone = await client.images.remove(image, {
          force: flags.force || undefined,
          noprune: flags['no-prune'] || undefined,
        })
        for (const one of gone)
          context.terminal.stdout.write(
            one.Untagged === undefined ? `deleted  ${one.Deleted ?? ''}\n` : `untagged ${one.Untagged}\n`,
          )
      } catch (error) {
        code = Math.max(code, exitCodeOf(error))
        context.terminal.stderr.write(errorText(error, context.paint))
      }
    }
    return code
  },
})
