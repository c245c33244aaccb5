import type { Digest } from '#base'
import { digestOf } from '#oci/digest'

import { readDescriptor, readStringMap, type Descriptor } from './descriptor.ts'
import { imageFormatError, invalidManifest } from './errors.ts'
import { isObject, parseStrictJson, type JsonObject } from './json.ts'
import { MAX_INDEX_ENTRIES, MAX_LAYERS, MAX_MANIFEST_BYTES } from './limits.ts'
import { isIndexType, isManifestType, MEDIA_TYPES } from './media-types.ts'

/** image-spec, manifest.md; Docker's schema 2 has the same shape. */
export interface ImageManifest {
  readonly kind: 'manifest'
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
  readonly artifactType: string
  readonly subject: Descriptor | null
  /** The exact bytes: the digest is theirs, so a rewritten copy would be another manifest. */
  readonly bytes: Uint8Array
  readonly digest: Digest
}

/** image-spec, image-index.md; Docker's manifest list. */
export interface ImageIndex {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
  readonly artifactType: string
  readonly subject: Descriptor | null
  readonly bytes: Uint8Array
  readonly digest: Digest
}

const FIELDS = ['schemaVersion', 'mediaType', 'config', 'layers', 'manifests', 'annotations', 'subject', 'artifactType']

/**
 * Reads a manifest or an index. `declaredType` is what a header or the descriptor said: where the document says otherwise, it is
 * refused and not guessed (CVE-2021-41190). Unknown fields are allowed and stay in `bytes`.
 * Errors: `manifest.invalid`, `manifest.ambiguous`, `manifest.unsupported`, `manifest.too_large`, `json.invalid`, `digest.invalid`.
 */
export function parseManifest(bytes: Uint8Array, declaredType: string | null, what: string): ImageManifest | ImageIndex {
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw imageFormatError('manifest.too_large', `${what} has ${bytes.length} bytes, more than ${MAX_MANIFEST_BYTES}`)
  const value = parseStrictJson(bytes, what)
  if (!isObject(value)) throw invalidManifest(what, 'is not an object')
  refuseConfusion(value, what)
  if (value['schemaVersion'] !== 2)
    throw imageFormatError('manifest.unsupported', `${what}: schemaVersion ${JSON.stringify(value['schemaVersion'])} is not 2`)
  const mediaType = chooseMediaType(value, declaredType, what)
  const common = {
    mediaType,
    annotations: readStringMap(value['annotations'], `${what}: annotations`),
    artifactType: typeof value['artifactType'] === 'string' ? value['artifactType'] : '',
    subject:
      value['subject'] === undefined || value['subject'] === null ? null : readDescriptor(value['subject'], `${what}: subject`),
    bytes,
    digest: digestOf(bytes),
  }
  if (isIndexType(mediaType))
    return { kind: 'index', ...common, manifests: readDescriptors(value['manifests'], MAX_INDEX_ENTRIES, `${what}: manifests`) }
  return {
    kind: 'manifest',
    ...common,
    config: readDescriptor(value['config'], `${what}: config`),
    layers: readDescriptors(value['layers'], MAX_LAYERS, `${what}: layers`),
  }
}

/** Go reads keys without regard to case, others do not: a document with `Layers` means different things to them. */
function refuseConfusion(value: JsonObject, what: string): void {
  for (const key of Object.keys(value)) {
    const known = FIELDS.find((field) => field.toLowerCase() === key.toLowerCase())
    if (known !== undefined && known !== key)
      throw imageFormatError('manifest.ambiguous', `${what} has the key ${JSON.stringify(key)}, which some read as ${known}`)
  }
  const isIndex = value['manifests'] !== undefined
  const isManifest = value['layers'] !== undefined || value['config'] !== undefined
  if (isIndex && isManifest)
    throw imageFormatError(
      'manifest.ambiguous',
      `${what} has manifests and layers or config: it is an index and a manifest at once`,
    )
  if (value['fsLayers'] !== undefined)
    throw imageFormatError('manifest.unsupported', `${what} is of Docker's first schema`, {
      hint: 'Push the image again with a client of this decade.',
    })
}

function chooseMediaType(value: JsonObject, declaredType: string | null, what: string): string {
  const written = value['mediaType']
  if (written !== undefined && typeof written !== 'string') throw invalidManifest(what, 'mediaType is not text')
  if (typeof written === 'string' && declaredType !== null && written !== declaredType)
    throw imageFormatError('manifest.ambiguous', `${what} came as ${declaredType} and calls itself ${written.slice(0, 200)}`)
  const isIndex = value['manifests'] !== undefined
  const mediaType = written ?? declaredType ?? (isIndex ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest)
  if (!isIndexType(mediaType) && !isManifestType(mediaType))
    throw imageFormatError(
      'manifest.unsupported',
      `${what}: the media type ${mediaType.slice(0, 200)} is no image manifest or index`,
    )
  if (isIndexType(mediaType) !== isIndex)
    throw imageFormatError(
      'manifest.ambiguous',
      `${what} has the shape of ${isIndex ? 'an index' : 'a manifest'} and the type ${mediaType}`,
    )
  return mediaType
}

function readDescriptors(value: unknown, maximum: number, what: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw invalidManifest(what, 'is not a list')
  if (value.length > maximum) throw invalidManifest(what, `has ${value.length} entries, more than ${maximum}`)
  return value.map((item, index) => readDescriptor(item, `${what}[${index}]`))
}
