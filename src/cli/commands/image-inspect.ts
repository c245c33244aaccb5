import { text } from '../args/flags.ts'
import { command } from '../command.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { platformQuery } from './image-history.ts'
import { inspectEach } from './inspect-each.ts'

export const imageInspect = command({
  name: 'image inspect',
  usage: '[FLAGS] IMAGE...',
  summary: 'Everything the daemon knows of images, as JSON.',
  examples: [["image inspect -f '{{.Config.Env}}' app:1", 'one field']],
  flags: { format: objectFormatFlag, platform: text('OS/ARCH', 'Of this platform of the image') },
  operands: { min: 1, max: Infinity },
  completes: ['image'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const query = { platform: platformQuery(flags.platform) }
    return await inspectEach(operands, flags.format, context, (name) => client.images.inspect(name, query))
  },
})
