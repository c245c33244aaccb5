import { isAbsolute, resolve } from 'node:path'

import type { Clock } from '#base'
import { namedDirectory, type NamedDirectory } from '#client/context'

import { cliError } from '../errors.ts'

export interface ContextChoices {
  /** What the daemon finds by itself. */
  readonly contexts: Readonly<Record<string, string>>
  /** What is sent. */
  readonly directories: Readonly<Record<string, NamedDirectory>>
}

const LAYOUT = 'oci-layout://'
/** A stage, an image, an address, or another word of a kind, which the builder knows or refuses. */
const IS_NAMED = /^(?:[a-z][a-z0-9+.-]*:\/\/|target:|github\.com\/[^/]|[a-zA-Z0-9_.-]+@[a-zA-Z0-9_.-]+:[^:/])/

/**
 * What `--build-context NAME=PLACE` and `additional_contexts` name. A directory goes over as the context does; `oci-layout://DIRECTORY` as well,
 * with `:TAG` or `@DIGEST` behind it. Error: `cli.usage`.
 */
export function readContexts(
  places: Readonly<Record<string, string>>,
  { cwd, clock }: { readonly cwd: string; readonly clock: Pick<Clock, 'nowMs'> },
): ContextChoices {
  const contexts: Record<string, string> = {}
  const directories: Record<string, NamedDirectory> = {}
  for (const [name, place] of Object.entries(places)) {
    if (name === '' || place === '')
      throw cliError('cli.usage', `the build context ${JSON.stringify(`${name}=${place}`)} is not NAME=PLACE`, {
        hint: 'A place is a directory, docker-image://IMAGE, oci-layout://DIRECTORY, target:STAGE or an address.',
      })
    if (place.startsWith(LAYOUT)) {
      const { directory, reference } = layoutPlace(place.slice(LAYOUT.length))
      directories[name] = namedDirectory(resolve(cwd, directory), reference, clock)
    } else if (IS_NAMED.test(place) && !isAbsolute(place)) contexts[name] = place
    else directories[name] = namedDirectory(resolve(cwd, place), null, clock)
  }
  return { contexts, directories }
}

/** `DIRECTORY[:TAG][@DIGEST]`: of the two a digest says more. Pure. */
export function layoutPlace(text: string): { readonly directory: string; readonly reference: string } {
  const [, before = text, digest] = /^(.*)@(sha(?:256|512):[0-9a-f]+)$/s.exec(text) ?? []
  const [, directory = before, tag] = /^(.*):([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$/s.exec(before) ?? []
  return { directory: directory === '' ? '.' : directory, reference: digest ?? tag ?? '' }
}
