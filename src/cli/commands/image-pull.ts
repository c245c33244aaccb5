import { familiarText, parseReference, withDefaultTag } from '#oci/reference'

import { isSet, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { followProgress } from '../images/progress-stream.ts'
import { registryAuth } from '../images/registry-auth.ts'
import { progress } from '../output/progress.ts'
import type { Sink } from '../output/terminal.ts'

export const imagePull = command({
  name: 'image pull',
  usage: '[FLAGS] IMAGE...',
  summary: 'Fetch images from their registries.',
  description: 'Signs in with what `docker login` has kept for the registry, if anything.',
  examples: [
    ['image pull registry.example.org/team/app:1', 'from a registry of your own'],
    ['image pull --platform linux/arm64 app', 'for another machine than this'],
  ],
  flags: {
    platform: text('OS/ARCH', 'Choose this platform of the image (default: that of the daemon)'),
    quiet: isSet('Print names only', 'q'),
  },
  operands: { min: 1, max: Infinity },
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const { stdout, stderr } = context.terminal
    const show = progress(flags.quiet ? silent(stderr) : stderr, context.paint)
    const signal = context.interrupted()
    for (const image of operands) {
      const auth = await registryAuth(image, context)
      await followProgress(
        client.images.pull(familiarText(withDefaultTag(parseReference(image))), { platform: flags.platform }, auth, signal),
        show,
        stdout,
      )
      stdout.write(`${image}\n`)
    }
    return 0
  },
})

function silent(sink: Sink): Sink {
  return { ...sink, isTty: false, write: () => true }
}
