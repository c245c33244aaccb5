import { naming, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { writeArchive } from '../images/archive.ts'
import { platformQuery } from './image-history.ts'

export const imageSave = command({
  name: 'image save',
  usage: '[FLAGS] IMAGE...',
  summary: 'Write images into an archive.',
  examples: [
    ['image save -o app.tar app:1', 'to a file, for another host'],
    ['save app:1 db:1 | gzip > both.tar.gz', 'several, compressed'],
  ],
  flags: {
    output: naming('file', text('FILE', 'The archive (default: standard output)', 'o')),
    platform: text('OS/ARCH', 'Of this platform of the images'),
  },
  operands: { min: 1, max: Infinity },
  completes: ['image'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    await writeArchive(await client.images.save(operands, { platform: platformQuery(flags.platform) }), flags.output, context)
    return 0
  },
})
