import { command } from '../command.ts'
import { shortId } from '#base'
import { progress } from '../output/progress.ts'
import { bootstrapImage } from '../up/bootstrap.ts'

export const imageBootstrap = command({
  name: 'image bootstrap',
  usage: 'REFERENCE',
  summary: 'Make a base image from Debian packages.',
  description:
    'Brings the packages from the Debian mirror of this host and makes one image of them, checked by the keys of the distribution. No registry is asked.',
  examples: [['image bootstrap debian:bookworm', 'the base of most Dockerfiles']],
  flags: {},
  operands: { min: 1, max: 1 },
  run: async ({ operands }, context) => {
    const reference = operands[0] ?? ''
    const show = progress(context.terminal.stderr, context.paint)
    const id = await bootstrapImage(await context.client(), reference, show, {
      clock: context.clock,
      signal: context.interrupted(),
    })
    show.finish()
    context.terminal.stdout.write(`${reference}  ${shortId(id)}\n`)
    return 0
  },
})
