import { list, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { openArchive } from '../images/archive.ts'
import { followProgress } from '../images/progress-stream.ts'
import { progress } from '../output/progress.ts'

export const imageImport = command({
  name: 'image import',
  usage: '[FLAGS] FILE|- [NAME]',
  summary: 'Make an image from a tarball of a root file system.',
  examples: [['image import -c \'CMD ["sh"]\' rootfs.tar base:1', 'with a command']],
  flags: {
    change: list('INSTRUCTION', 'Dockerfile instruction for the configuration: CMD, ENV, ...', 'c'),
    message: text('TEXT', 'For the history', 'm'),
    platform: text('OS/ARCH', 'Platform of the content'),
  },
  operands: { min: 1, max: 2 },
  completes: ['file', 'repository'],
  run: async ({ flags, operands }, context) => {
    const [file = '-', name] = operands
    const client = await context.client()
    const query = { ...splitName(name), changes: flags.change, message: flags.message, platform: flags.platform }
    const steps = client.images.import(await openArchive(file, context), query)
    const { stdout, stderr } = context.terminal
    // Its only line is the id of the image.
    const show = { ...progress(stderr, context.paint), note: (text: string) => void stdout.write(`${text}\n`) }
    await followProgress(steps, show, stdout)
    return 0
  },
})

/** The last colon tells the tag unless a slash follows it: `host:5000/name`. */
export function splitName(name: string | undefined): { readonly repo?: string; readonly tag?: string } {
  if (name === undefined) return {}
  const match = /^(.*):([^/:]+)$/.exec(name)
  return match?.[1] === undefined || match[2] === undefined ? { repo: name } : { repo: match[1], tag: match[2] }
}
