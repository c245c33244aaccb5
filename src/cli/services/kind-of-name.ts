import { isKind } from '#base'
import type { Client } from '#client'

import { cliError } from '../errors.ts'

/** How well a name fits: it is the name or the id itself, or an id begins with it. */
type Fit = 'exact' | 'begins' | undefined

interface Meanings {
  readonly container: () => Promise<Fit>
  readonly service: () => Promise<Fit>
}

/**
 * Some words are docker's for containers and ours for services. The name decides; one that is of both is refused, with the words that say which. Error: `cli.usage`.
 * `word`: `pause`.
 */
export async function kindOfName(ref: string, word: string, client: Client): Promise<'container' | 'service'> {
  // A slash is in no name of a container, but docker's own clients put one before it.
  if (ref.indexOf('/') > 0) return 'service'
  const looks: Meanings = {
    container: async () => {
      const { Id, Name } = await client.containers.inspect(ref)
      return Id === ref || Name === (ref.startsWith('/') ? ref : `/${ref}`) ? 'exact' : 'begins'
    },
    service: async () => {
      const { service } = await client.services.get(ref)
      return [service.id, service.name, service.title].includes(ref) ? 'exact' : 'begins'
    },
  }
  const [container, service] = await Promise.all([fitOf(looks.container), fitOf(looks.service)])
  if (container !== undefined && container === service)
    throw cliError('cli.usage', `${ref} is the name of a container and of a service`, {
      hint: `Say \`glovebox container ${word} ${ref}\` or \`glovebox service ${word} ${ref}\`.`,
    })
  if (container === 'exact' || service === 'exact') return container === 'exact' ? 'container' : 'service'
  // Whoever knows neither is told of containers, as docker does.
  return service === undefined ? 'container' : 'service'
}

async function fitOf(look: () => Promise<Fit>): Promise<Fit> {
  try {
    return await look()
  } catch (error) {
    // Of several beginnings of ids the command itself tells.
    if (isKind(error, 'not_found') || isKind(error, 'invalid') || isKind(error, 'conflict')) return undefined
    throw error
  }
}
