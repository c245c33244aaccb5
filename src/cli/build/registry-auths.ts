import type { BuildWish } from '#api/glovebox'
import { parseReference } from '#oci/reference'

import type { CliContext } from '../command.ts'
import { knownServers, serverKey, storedCredentials } from '../credentials/store.ts'
import { baseImages } from '../up/base-images.ts'
import type { SourceDockerfile } from '#client/context'
import type { ImageWish } from './wish.ts'

/** What is kept for the registries that a build speaks to: of its bases, its caches, and where it is pushed. Errors: `cli.failed`. */
export async function registryAuths(
  wish: ImageWish,
  { shown, text }: SourceDockerfile,
  context: CliContext,
): Promise<BuildWish['registryAuth']> {
  const places = [...wish.cacheFrom, ...wish.cacheTo].flatMap((cache) => (cache.type === 'registry' ? [cache.place] : []))
  const named = Object.values(wish.contexts).flatMap((place) => (place.startsWith('docker-image://') ? [place.slice(15)] : []))
  // A Dockerfile that lies elsewhere says nothing here: the daemon is told all that we know.
  const others = text === '' ? await knownServers(context) : []
  const registries = new Set([...[...wish.tags, ...places, ...named, ...bases()].flatMap(registryOf), ...others])
  const found: Record<string, Readonly<Record<string, string>>> = {}
  for (const registry of registries) {
    const credentials = await storedCredentials(serverKey(registry), context)
    if (credentials !== undefined) found[registry] = { ...credentials }
  }
  return found

  function bases(): readonly string[] {
    try {
      return baseImages({ file: shown, text, args: wish.args })
    } catch {
      // The builder tells what is wrong with the Dockerfile, and where.
      return []
    }
  }
}

/** The same for builds whose options are not known yet. */
export function registryAuthsOf(context: CliContext) {
  return async (wish: ImageWish, dockerfile: SourceDockerfile) => await registryAuths(wish, dockerfile, context)
}

function registryOf(image: string): readonly string[] {
  try {
    return [parseReference(image).registry]
  } catch {
    // Not a name: the builder says so.
    return []
  }
}
