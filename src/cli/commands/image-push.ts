import { parseReference } from '#oci/reference'

import { isSet, refused, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { followProgress } from '../images/progress-stream.ts'
import { registryAuth } from '../credentials/registry-auth.ts'
import { progress } from '../output/progress.ts'
import { platformQuery } from './image-history.ts'

export const imagePush = command({
  name: 'image push',
  usage: '[FLAGS] IMAGE...',
  summary: 'Send images to their registries.',
  description: 'The name says where to: `image tag app registry.example.org/team/app:1` first gives it one that does.',
  examples: [['image push registry.example.org/team/app:1', 'to a registry of your own']],
  flags: {
    'all-tags': isSet('Every tag of the name', 'a'),
    platform: text('OS/ARCH', 'Only this platform of the image'),
    quiet: isSet('Print names only', 'q'),
    'disable-content-trust': refused('images are not signed; their digests are what others can pin', false),
  },
  operands: { min: 1, max: Infinity },
  completes: ['image'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    const { stdout, stderr } = context.terminal
    const show = progress(stderr, context.paint, flags.quiet)
    const signal = context.interrupted()
    for (const image of operands) {
      const { tag, digest } = parseReference(image)
      if (digest !== null) throw cliError('cli.usage', `push ${image}: a digest cannot be pushed; name a tag`)
      if (flags['all-tags'] && tag !== null) throw cliError('cli.usage', `push ${image}: a tag and --all-tags exclude each other`)
      const name = tag === null ? image : image.slice(0, -tag.length - 1)
      const wanted = flags['all-tags'] ? undefined : (tag ?? 'latest')
      const auth = await registryAuth(image, context)
      const query = { tag: wanted, platform: platformQuery(flags.platform) }
      await followProgress(client.images.push(name, query, auth, signal), show)
      if (signal.aborted) throw cliError('cli.cancelled', `push ${image}: cancelled`)
      stdout.write(`${image}\n`)
    }
    return 0
  },
})
