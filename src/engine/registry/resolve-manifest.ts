import { isDigest, parseVerifiableDigest, verifier } from '#oci/digest'
import {
  choosePlatform,
  formatPlatform,
  imageFormatError,
  MAX_INDEX_DEPTH,
  parseManifest,
  platform,
  type Descriptor,
  type ImageIndex,
  type ImageManifest,
  type Platform,
} from '#oci/image'

import { registryError } from './errors.ts'
import type { Repository } from './repository.ts'

export interface ResolvedManifest {
  /** What the reference itself names: an index, or the manifest. */
  readonly top: ImageManifest | ImageIndex
  readonly manifest: ImageManifest
}

/** Reads the document of a reference and checks it against all that is known of it. Errors: `digest.*`, `manifest.*`, `json.invalid`, `registry.*`. */
export async function readDocument(
  repository: Repository,
  reference: string,
  promised: Descriptor | null,
): Promise<ImageManifest | ImageIndex> {
  const what = `manifest ${repository.path}${reference.includes(':') ? '@' : ':'}${reference}`
  const { bytes, mediaType, announcedDigest } = await repository.manifest(reference)
  const digests = [
    ...(promised === null ? [] : [promised.digest]),
    ...(reference.includes(':') ? [parseVerifiableDigest(reference, what)] : []),
    ...(isDigest(announcedDigest) ? [announcedDigest] : []),
  ]
  const check = verifier({ digests, ...(promised === null ? {} : { sizeBytes: promised.sizeBytes }) }, what)
  check.update(bytes)
  check.finish()
  const document = parseManifest(bytes, mediaType, what)
  if (promised !== null && promised.mediaType !== document.mediaType)
    throw imageFormatError(
      'manifest.ambiguous',
      `${what}: the index calls it ${promised.mediaType} and it calls itself ${document.mediaType}`,
    )
  return document
}

/** The manifest for a platform, through an index if there is one. Errors as `readDocument`, and `registry.platform_missing`, `registry.index_too_deep`. */
export async function resolveManifest(repository: Repository, reference: string, wanted: Platform): Promise<ResolvedManifest> {
  const top = await readDocument(repository, reference, null)
  let document = top
  for (let depth = 1; document.kind === 'index'; depth += 1) {
    if (depth > MAX_INDEX_DEPTH)
      throw registryError(
        'registry.index_too_deep',
        `${repository.path}:${reference}: more than ${MAX_INDEX_DEPTH} indexes lie in each other`,
      )
    const chosen = chooseManifest(document, wanted, `${repository.path}:${reference}`)
    document = await readDocument(repository, chosen.digest.text, chosen)
  }
  return { top, manifest: document }
}

/** Attestations have the platform `unknown/unknown` and so never fit; entries without a platform fit when there is nothing else. */
function chooseManifest(index: ImageIndex, wanted: Platform, what: string): Descriptor {
  const offers = index.manifests.filter((entry) => entry.platform !== null)
  const unnamed = index.manifests.filter((entry) => entry.platform === null)
  const chosen =
    choosePlatform(wanted, offers, (entry) => entry.platform ?? platform('', '', '')) ??
    (offers.length === 0 && unnamed.length === 1 ? unnamed[0] : undefined)
  if (chosen !== undefined) return chosen
  throw registryError(
    'registry.platform_missing',
    `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`,
    {
      details: {
        image: what,
        offered: offers.slice(0, 20).map((entry) => (entry.platform === null ? '' : formatPlatform(entry.platform))),
      },
    },
  )
}
