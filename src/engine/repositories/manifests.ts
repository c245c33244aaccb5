import { createHash } from 'node:crypto'

import { GloveboxError } from '#base'
import type { VerifiableDigest } from '#oci/digest'
import { parseManifest, type ImageIndex, type ImageManifest } from '#oci/image'

import type { ManifestRow, RepositoryRows } from './catalog.ts'
import { repositoryError } from './errors.ts'

/** What a registry has to know of a manifest, apart from where it is stored. */
export type ReadManifest = Omit<ManifestRow, 'stored' | 'atMs'>

/** Error: `repository.manifest_invalid`, with the reason. */
export function readManifest(name: string, bytes: Buffer, mediaType: string | null): ReadManifest {
  const manifest = parse(name, bytes, mediaType)
  return {
    mediaType: manifest.mediaType,
    sizeBytes: bytes.length,
    artifactType: artifactTypeOf(manifest),
    annotations: manifest.annotations,
    subject: manifest.subject === null ? null : manifest.subject.digest.text,
    // A layer with addresses of its own is fetched from there, and need not be here (image-spec, "Non-Distributable Layers").
    blobs:
      manifest.kind === 'index'
        ? []
        : [manifest.config, ...manifest.layers.filter(({ urls }) => urls.length === 0)].map(digestText),
    manifests: manifest.kind === 'index' ? manifest.manifests.map(digestText) : [],
  }
}

const digestText = ({ digest }: { readonly digest: VerifiableDigest }) => digest.text

function parse(name: string, bytes: Buffer, mediaType: string | null): ImageManifest | ImageIndex {
  try {
    return parseManifest(bytes, mediaType, `the manifest for ${name}`)
  } catch (error) {
    if (!(error instanceof GloveboxError)) throw error
    throw repositoryError('repository.manifest_invalid', error.message, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}

/** distribution-spec, "Listing Referrers": a manifest without an artifact type of its own goes by the type of its configuration. */
function artifactTypeOf(manifest: ImageManifest | ImageIndex): string {
  if (manifest.artifactType !== '' || manifest.kind === 'index') return manifest.artifactType
  return manifest.config.mediaType
}

/** Error: `repository.manifest_blob_unknown`, naming the first that lacks. */
export function refuseMissing(name: string, manifest: ReadManifest, rows: RepositoryRows | undefined): void {
  const missing =
    manifest.blobs.find((digest) => rows?.blobs.has(digest) !== true) ??
    manifest.manifests.find((digest) => rows?.manifests.has(digest) !== true)
  if (missing === undefined) return
  throw repositoryError('repository.manifest_blob_unknown', `the manifest names ${missing}, which ${name} does not have`, {
    hint: 'Push what a manifest names before the manifest.',
    details: { digest: missing },
  })
}

/** The digest of bytes in the algorithm that was asked for. */
export function digestIn(algorithm: VerifiableDigest['algorithm'], bytes: Uint8Array): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}
