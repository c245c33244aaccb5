import { text } from '../args/flags.ts'
import { command } from '../command.ts'
import { openArchive } from '../images/archive.ts'
import { followProgress } from '../images/progress-stream.ts'
import { progress } from '../output/progress.ts'

export const imageLoad = command({
  name: 'image load',
  usage: '[FLAGS]',
  summary: 'Read images from an archive: an OCI layout or what docker save wrote.',
  examples: [
    ['image load -i app.tar', 'from a file'],
    ['image load < app.tar', 'from a pipe'],
  ],
  flags: { input: text('FILE', 'The archive (default: standard input)', 'i') },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const archive = await openArchive(flags.input, context)
    const client = await context.client()
    await followProgress(client.images.load(archive), progress(context.terminal.stderr, context.paint), context.terminal.stdout)
    return 0
  },
})
