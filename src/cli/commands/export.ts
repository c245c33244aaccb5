import { naming, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { writeArchive } from '../images/archive.ts'

export const exportContainer = command({
  name: 'export',
  usage: '[FLAGS] CONTAINER',
  summary: 'Write the file system of a container into an archive.',
  description: 'Volumes stay out. `image import` makes an image of it again.',
  examples: [
    ['export -o rootfs.tar web', 'to a file'],
    ['export web | tar -t', 'look what is in it'],
  ],
  flags: { output: naming('file', text('FILE', 'The archive (default: standard output)', 'o')) },
  operands: { min: 1, max: 1 },
  completes: ['container'],
  run: async ({ flags, operands: [ref = ''] }, context) => {
    const client = await context.client()
    await writeArchive(await client.containers.export(ref), flags.output, context)
    return 0
  },
})
