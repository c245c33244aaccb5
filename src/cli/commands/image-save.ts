import { text } from '../args/flags.ts'
import { command } from '../command.ts'
import { writeArchive } from '../images/archive.ts'

export const imageSave = command({
  name: 'image save',
  usage: '[FLAGS] IMAGE...',
  summary: 'Write images into an archive.',
  examples: [['image save -o app.tar app:1', 'to a file, for another host']],
  flags: { output: text('FILE', 'The archive (default: standard output)', 'o') },
  operands: { min: 1, max: Infinity },
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    await writeArchive(await client.images.save(operands), flags.output, context)
    return 0
  },
})
