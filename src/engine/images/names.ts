import type { Clock, Digest } from '#base'
import { canonicalText, familiarText, parseReference, withDefaultTag, type ImageReference } from '#oci/reference'

import type { Catalog } from './catalog.ts'
import { imageError } from './errors.ts'
import { resolve } from './resolve.ts'

/** Reads the target of a tag. Errors: `reference.invalid`, `image.name_invalid`. */
export function readTagTarget(text: string): ImageReference {
  const reference = parseReference(text)
  if (reference.digest !== null)
    throw imageError('image.name_invalid', `refusing to create a tag with a digest reference: ${text}`, {
      hint: 'A digest says what an image is; only names can be given.',
    })
  if (reference.registry === 'docker.io' && reference.path === 'library/sha256')
    throw imageError('image.name_invalid', 'refusing to create an ambiguous tag using digest algorithm as name')
  return withDefaultTag(reference)
}

/** Gives the name to the image; gives back the image that had it before, if it was another one. Inside a transaction. */
export function moveName(catalog: Catalog, clock: Clock, reference: ImageReference, id: Digest): Digest | undefined {
  const name = canonicalText(reference)
  const before = catalog.names.get(name)
  if (before === id) return undefined
  catalog.putName(name, id)
  const image = catalog.images.get(id)
  if (image !== undefined) catalog.putImage(id, { ...image, lastTaggedAt: new Date(clock.nowMs()).toISOString() })
  return before
}

/** `save debian` means every tag of debian; with a tag or by id, that one image. Errors: `image.not_found`. */
export function allNamesOf(catalog: Catalog, ref: string): readonly { readonly name: string; readonly id: Digest }[] {
  let reference: ImageReference
  try {
    reference = parseReference(ref)
  } catch {
    return []
  }
  if (reference.tag !== null || reference.digest !== null) return []
  const found = resolve(catalog, ref)
  if (found?.by === 'id') return []
  return [...catalog.names]
    .filter(([name]) => {
      const other = parseReference(name)
      return other.tag !== null && other.registry === reference.registry && other.path === reference.path
    })
    .map(([name, id]) => ({ name, id }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

export function shownReference(reference: ImageReference): string {
  return familiarText(reference)
}
