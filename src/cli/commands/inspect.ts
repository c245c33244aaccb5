import { isKind } from '#base'
import type { Client } from '#client'

import { choice, isSet } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { objectFormatFlag } from '../listing/object-format.ts'
import { inspectEach } from './inspect-each.ts'

const TYPES = ['container', 'image', 'network', 'volume'] as const
type ObjectType = (typeof TYPES)[number]

export const inspect = command({
  name: 'inspect',
  usage: '[FLAGS] NAME...',
  summary: 'Everything the daemon knows of containers, images, networks or volumes, as JSON.',
  examples: [
    ['inspect web', 'all of it'],
    ["inspect --format '{{.State.Status}}' web", 'one field'],
    ["inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' web", 'its addresses'],
    ["inspect -f '{{json .Config.Labels}}' web", 'a part of it, as JSON'],
  ],
  flags: {
    type: choice(TYPES, 'Where to look (default: in this order)'),
    size: isSet('Also how much a container wrote', 's'),
    format: objectFormatFlag,
  },
  operands: { min: 1, max: Infinity },
  completes: ['object'],
  run: async ({ flags, operands }, context) => {
    const client = await context.client()
    return await inspectEach(operands, flags.format, context, (name) => look(client, name, flags))
  },
})

async function look(
  client: Client,
  name: string,
  flags: { readonly type: ObjectType | undefined; readonly size: boolean },
): Promise<unknown> {
  const ways: Readonly<Record<ObjectType, () => Promise<unknown>>> = {
    container: () => client.containers.inspect(name, { size: flags.size || undefined }),
    image: () => client.images.inspect(name),
    network: () => client.networks.inspect(name),
    volume: () => client.volumes.inspect(name),
  }
  for (const type of flags.type === undefined ? TYPES : [flags.type]) {
    try {
      return await ways[type]()
    } catch (error) {
      // A name that an image cannot have may be that of a network all the same.
      if (!isKind(error, 'not_found') && !(flags.type === undefined && isKind(error, 'invalid'))) throw error
    }
  }
  throw cliError('cli.not_found', `no such ${flags.type ?? 'container, image, network or volume'}: ${name}`)
}
