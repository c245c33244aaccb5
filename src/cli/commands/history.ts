import { isKind } from '#base'
import type { Client } from '#client'

import { isOn, isSet, text } from '../args/flags.ts'
import { command } from '../command.ts'
import { cliError } from '../errors.ts'
import { historyFlags, showHistory } from '../services/look-commands.ts'
import { imageHistory } from './image-history.ts'

export const history = command({
  name: 'history',
  usage: '[FLAGS] [SERVICE|IMAGE]',
  summary: 'Show what happened to a service, or the layers of an image.',
  description:
    'The name decides: `shop/web` is a service, `app:1` an image. A name that is of both is refused: `glovebox service history` and `glovebox image history` take one kind each. Without a name: of all services.',
  examples: [
    ['history shop/web', 'who changed it, and what came of it'],
    ["history --human=false --format '{{.Size}} {{.CreatedBy}}' app:1", 'the layers of an image, sizes in bytes'],
  ],
  flags: {
    ...historyFlags,
    human: isOn('Of an image: sizes and times for people', 'H'),
    'no-trunc': isSet('Of an image: nothing shortened'),
    quiet: isSet('Of an image: ids only', 'q'),
    platform: text('OS/ARCH', 'Of this platform of the image'),
  },
  operands: { min: 0, max: 1 },
  completes: ['service-or-image'],
  run: async (invocation, context) => {
    const [name] = invocation.operands
    if (name === undefined) return await showHistory([], invocation.flags, context)
    const client = await context.client()
    const [isService, isImage] = await Promise.all([hasHistory(name, client), isKnownImage(name, client)])
    if (isService && isImage)
      throw cliError('cli.usage', `${name} is the name of a service and of an image`, {
        hint: `Say \`glovebox service history ${name}\` or \`glovebox image history ${name}\`.`,
      })
    if (isService) return await showHistory([name], invocation.flags, context)
    return await imageHistory.run(invocation, context)
  },
})

/** Services that are gone have one too. */
async function hasHistory(name: string, client: Client): Promise<boolean> {
  try {
    return (await client.services.history({ services: [name], limit: 1 })).length > 0
  } catch (error) {
    if (isKind(error, 'not_found') || isKind(error, 'invalid')) return false
    throw error
  }
}

async function isKnownImage(name: string, client: Client): Promise<boolean> {
  try {
    await client.images.inspect(name)
    return true
  } catch (error) {
    if (isKind(error, 'not_found') || isKind(error, 'invalid')) return false
    throw error
  }
}
