import type { ByteString } from '#oci/tar'

/** What a name means in a layer (OCI image-spec, layer.md, "Whiteouts"). */
export type NameMeaning =
  | { readonly kind: 'plain' }
  | { readonly kind: 'opaque' }
  | { readonly kind: 'whiteout'; readonly name: ByteString }
  | { readonly kind: 'invalid'; readonly problem: string }

const PREFIX = '.wh.'
const PLAIN: NameMeaning = { kind: 'plain' }

export function meaningOfName(name: ByteString): NameMeaning {
  if (!name.startsWith(PREFIX)) return PLAIN
  if (name === '.wh..wh..opq') return { kind: 'opaque' }
  const hidden = name.slice(PREFIX.length) as ByteString
  if (hidden === '') return { kind: 'invalid', problem: 'whiteout of an empty name' }
  if (hidden === '.' || hidden === '..') return { kind: 'invalid', problem: `whiteout of ${JSON.stringify(hidden)}` }
  // Names that aufs kept for itself; nobody agrees on what they would mean.
  if (hidden.startsWith(PREFIX)) return { kind: 'invalid', problem: 'reserved whiteout name' }
  return { kind: 'whiteout', name: hidden }
}
