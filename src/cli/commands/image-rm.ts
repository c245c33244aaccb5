import { isSet, list } from '../args/flags.ts'
import { command } from '../command.ts'
import { errorText, exitCodeOf } from '../exit-code.ts'
import { platformQuery } from './image-history.ts'

export const imageRm = command({
  name: 'image rm',
  usage: '[FLAGS] IMAGE...',
  summary: 'Remove images.',
  description: 'A name goes first; the image itself goes with its last name.',
  examples: [['image rm app:1', 'one name']],
  flags: {
    force: isSet('Also when a stopped container was made from it', 'f'),
    'no-prune': isSet('Keep nameless images that only this one stood on'),
    platform: list('OS/ARCH', 'Only this platform of the image'),
  },
  operands: { min: 1, max: Infinity },
  completes: ['image'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const query = {
      force: flags.force || undefined,
      noprune: flags['no-prune'] || undefined,
      platforms: flags.platform.map((platform) => platformQuery(platform) ?? ''),
    }
    let code = 0
    for (const image of operands) {
      try {
        for (const one of await client.images.remove(image, query))
          context.terminal.stdout.write(
            one.Untagged === undefined ? `Deleted: ${one.Deleted ?? ''}\n` : `Untagged: ${one.Untagged}\n`,
          )
      } catch (error) {
        code = Math.max(code, exitCodeOf(error))
        context.terminal.stderr.write(errorText(error, context.paint))
      }
    }
    return code
  },
})
