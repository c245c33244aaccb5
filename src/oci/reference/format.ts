import { BARE_ID, DEFAULT_REGISTRY, DEFAULT_TAG, looksLikeRegistry, OFFICIAL_PREFIX } from './grammar.ts'
import type { ImageReference } from './parse.ts'

/** `docker.io/library/debian` */
export function canonicalName(reference: ImageReference): string {
  return `${reference.registry}/${reference.path}`
}

/** `debian`, `grafana/loki`, `localhost:5000/web`: as short as it still reads back to the same. */
export function familiarName(reference: ImageReference): string {
  const { registry, path } = reference
  if (registry !== DEFAULT_REGISTRY) return `${registry}/${path}`
  const short = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : path
  if (!short.includes('/')) return BARE_ID.test(short) ? `${registry}/${path}` : short
  return looksLikeRegistry(path.slice(0, path.indexOf('/'))) ? `${registry}/${path}` : path
}

export function canonicalText(reference: ImageReference): string {
  return canonicalName(reference) + suffix(reference)
}

export function familiarText(reference: ImageReference): string {
  return familiarName(reference) + suffix(reference)
}

/** A name alone means its `latest`. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  return reference.tag === null && reference.digest === null ? { ...reference, tag: DEFAULT_TAG } : reference
}

function suffix({ tag, digest }: ImageReference): string {
  return (tag === null ? '' : `:${tag}`) + (digest === null ? '' : `@${digest}`)
}
