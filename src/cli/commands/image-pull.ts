import { isSet, refused, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { pullImage } from '../images/pull.ts'

export const imagePull = command({
  name: 'image pull',
  usage: '[FLAGS] IMAGE...',
  summary: 'Fetch images from their registries.',
  description: 'Signs in with what `glovebox login` or `docker login` has kept for the registry, if anything.',
  examples: [
    ['image pull registry.example.org/team/app:1', 'from a registry of your own'],
    ['image pull --platform linux/arm64 app', 'for another machine than this'],
  ],
  flags: {
    'all-tags': isSet('Every tag of the name', 'a'),
    platform: text('OS/ARCH', 'Choose this platform of the image (default: that of the daemon)'),
    quiet: isSet('Print names only', 'q'),
    'disable-content-trust': refused('signatures of images are not checked; pull by digest to pin what you run', false),
  },
  operands: { min: 1, max: Infinity },
  completes: ['repository'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    for (const image of operands) {
      const pull = { image, platform: flags.platform, isQuiet: flags.quiet, isEveryTag: flags['all-tags'] }
      context.terminal.stdout.write(`${await pullImage(pull, client, context)}\n`)
    }
    return 0
  },
})
