/** What a path under `/v2/` names (distribution-spec, "Endpoints"). Names and references are decoded and not yet checked. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'token' }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string }

/** Undefined for a path that is no endpoint. A name may itself hold such words: the last ones count. */
export function routeOf(path: string): Route | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' }
  if (path === '/token') return { kind: 'token' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  const parts = decoded(path)
  if (parts === undefined || parts[0] !== '' || parts[1] !== 'v2') return undefined
  const [third = '', second = '', last = ''] = parts.slice(-3)
  const name = (from: number) => parts.slice(2, from).join('/')
  if (second === 'tags' && last === 'list') return { kind: 'tags', name: name(-2) }
  if (second === 'blobs' && last === 'uploads') return { kind: 'uploads', name: name(-2) }
  if (third === 'blobs' && second === 'uploads')
    return last === '' ? { kind: 'uploads', name: name(-3) } : { kind: 'upload', name: name(-3), id: last }
  if (second === 'manifests') return { kind: 'manifest', name: name(-2), reference: last }
  if (second === 'blobs') return { kind: 'blob', name: name(-2), digest: last }
  if (second === 'referrers') return { kind: 'referrers', name: name(-2), digest: last }
  return undefined
}

/** Parts between slashes; undefined when an escape is broken. An escaped slash stays inside its part, where no grammar takes it. */
function decoded(path: string): readonly string[] | undefined {
  try {
    return path.split('/').map((part) => decodeURIComponent(part))
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
