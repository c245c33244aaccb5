import { isSet, naming, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { openArchive } from '../images/archive.ts'
import { countedArchive } from '../images/counted-archive.ts'
import { followProgress } from '../images/progress-stream.ts'
import { progress } from '../output/progress.ts'
import { platformQuery } from './image-history.ts'

export const imageLoad = command({
  name: 'image load',
  usage: '[FLAGS]',
  summary: 'Read images from an archive: an OCI layout or what docker save wrote.',
  examples: [
    ['image load -i app.tar', 'from a file'],
    ['image load < app.tar', 'from a pipe'],
  ],
  flags: {
    input: naming('file', text('FILE', 'The archive (default: standard input)', 'i')),
    platform: text('OS/ARCH', 'Only this platform of the images'),
    quiet: isSet('Print names only', 'q'),
  },
  operands: { min: 0, max: 0 },
  run: async ({ flags }, context) => {
    const { stdout, stderr } = context.terminal
    const archive = await openArchive(flags.input, context)
    const client = await context.client()
    const show = progress(stderr, context.paint, flags.quiet)
    // The daemon reads the whole archive before it speaks; what is sent is what there is to show until then.
    const sent = stderr.isTty && !flags.quiet ? await countedArchive(archive, flags.input, show, context) : archive
    const query = { quiet: flags.quiet || undefined, platform: platformQuery(flags.platform) }
    await followProgress(client.images.load(sent, query), show, stdout)
    return 0
  },
})
