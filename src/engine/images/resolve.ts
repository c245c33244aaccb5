import { GloveboxError, type Digest } from '#base'
import { isDigest } from '#oci/digest'
import { canonicalName, canonicalText, familiarText, parseReference, withDefaultTag, type ImageReference } from '#oci/reference'

import type { Catalog } from './catalog.ts'
import { imageError } from './errors.ts'

/** What a reference means: an image, and whether it was called by a name (then which) or by its id. */
export type Resolved =
  | { readonly id: Digest; readonly by: 'id' }
  | { readonly id: Digest; readonly by: 'name'; readonly name: string }

export type View = Pick<Catalog, 'images' | 'names'>

/** Shorter ones are more likely a slip than an id. */
const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{4,64})$/

/** A full id first, then a name, then the beginning of an id. Error: `image.ambiguous`. */
export function resolve(view: View, ref: string): Resolved | undefined {
  const full = ref.startsWith('sha256:') ? ref : `sha256:${ref}`
  if (isDigest(full)) return view.images.has(full) ? { id: full, by: 'id' } : undefined
  const reference = readReference(ref)
  const name = reference === undefined ? undefined : nameKey(reference)
  const named = name === undefined ? undefined : view.names.get(name)
  if (name !== undefined && named !== undefined) return { id: named, by: 'name', name }
  return resolvePrefix(view, ref)
}

/** Error: `image.not_found`, with the name as Docker's clients expect it. */
export function mustResolve(view: View, ref: string): Resolved {
  const found = resolve(view, ref)
  if (found !== undefined) return found
  const reference = readReference(ref)
  const shown = reference === undefined ? ref.slice(0, 300) : familiarText(withDefaultTag(reference))
  throw imageError('image.not_found', `No such image: ${shown}`, { details: { ref: shown } })
}

/** How a name is filed: with its digest, or else with its tag. */
function nameKey(reference: ImageReference): string {
  if (reference.digest !== null) return `${canonicalName(reference)}@${reference.digest}`
  return canonicalText(withDefaultTag(reference))
}

function resolvePrefix(view: View, ref: string): Resolved | undefined {
  const digits = ID_PREFIX.exec(ref)?.[1]
  if (digits === undefined) return undefined
  const found = [...view.images].filter(([id, image]) => !image.isDetached && id.startsWith(`sha256:${digits}`))
  if (found.length > 1)
    throw imageError('image.ambiguous', `${ref} is the beginning of ${found.length} image ids`, {
      hint: 'Write more digits of it.',
    })
  const id = found[0]?.[0]
  return id === undefined ? undefined : { id, by: 'id' }
}

/** Undefined when it is no name: it may still be the beginning of an id. */
function readReference(ref: string): ImageReference | undefined {
  try {
    return parseReference(ref)
  } catch (error) {
    if (error instanceof GloveboxError && error.code === 'reference.invalid') return undefined
    throw error
  }
}
