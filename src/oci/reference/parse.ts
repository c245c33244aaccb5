import { parseVerifiableDigest } from '#oci/digest'

import { referenceError } from './errors.ts'
import {
  BARE_ID,
  DEFAULT_REGISTRY,
  LEGACY_DEFAULT_REGISTRY,
  isRepositoryPath,
  looksLikeRegistry,
  MAX_NAME_CHARACTERS,
  MAX_REFERENCE_CHARACTERS,
  OFFICIAL_PREFIX,
  REGISTRY,
  TAG,
} from './grammar.ts'

export interface ImageReference {
  /** `docker.io`, `localhost:5000`, ... */
  readonly registry: string
  /** `library/debian`: the repository's full path on its registry. */
  readonly path: string
  readonly tag: string | null
  /** With its algorithm; sha256 or sha512. */
  readonly digest: string | null
}

export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** Reads a familiar or a full name, with or without tag and digest. Error: `reference.invalid`. */
export function parseReference(text: string): ImageReference {
  if (text === '') throw invalid(text, 'it is empty')
  if (text.length > MAX_REFERENCE_CHARACTERS) throw invalid(text, `it is longer than ${MAX_REFERENCE_CHARACTERS} characters`)
  if (BARE_ID.test(text)) throw invalid(text, 'it is an id and not a name')
  const at = text.indexOf('@')
  const digest = at < 0 ? null : readDigest(text, text.slice(at + 1))
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  const tag = hasTag ? named.slice(colon + 1) : null
  if (tag !== null && !TAG.test(tag)) throw invalid(text, `${JSON.stringify(tag.slice(0, 64))} is not a tag`)
  const { registry, path } = readName(text, hasTag ? named.slice(0, colon) : named)
  return { registry, path, tag, digest }
}

function readDigest(text: string, digest: string): string {
  try {
    return parseVerifiableDigest(digest).text
  } catch (error) {
    throw invalid(text, 'what follows @ is not a digest', error)
  }
}

function readName(text: string, name: string): { readonly registry: string; readonly path: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const isRegistry = looksLikeRegistry(first)
  const written = isRegistry ? first : DEFAULT_REGISTRY
  const registry = written === LEGACY_DEFAULT_REGISTRY ? DEFAULT_REGISTRY : written
  const rest = isRegistry ? name.slice(slash + 1) : name
  const path = registry === DEFAULT_REGISTRY && !rest.includes('/') ? OFFICIAL_PREFIX + rest : rest
  if (rest !== rest.toLowerCase()) throw invalid(text, 'a repository name must be lower case')
  if (!REGISTRY.test(registry)) throw invalid(text, `${JSON.stringify(registry)} is not a registry's address`)
  if (!isRepositoryPath(path)) throw invalid(text, `${JSON.stringify(rest)} is not a repository name`)
  if (registry.length + 1 + path.length > MAX_NAME_CHARACTERS)
    throw invalid(text, `the name is longer than ${MAX_NAME_CHARACTERS} characters`)
  return { registry, path }
}

function invalid(text: string, why: string, cause?: unknown) {
  const shown = text.length > 100 ? `${text.slice(0, 100)}...` : text
  return referenceError('reference.invalid', `invalid reference format: ${JSON.stringify(shown)}: ${why}`, { cause })
}
