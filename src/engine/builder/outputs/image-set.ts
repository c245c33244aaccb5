import type { Digest } from '#base'
import { MEDIA_TYPES } from '#oci/image'

import type { AttestedImage } from '../attestations/attest.ts'
import { writeCacheRecords } from '../exchange/cache-document.ts'
import { CACHE_ANNOTATION, DIFF_ID_ANNOTATION } from '../exchange/cache-document.ts'
import { recordsFor } from '../exchange/export-cache.ts'
import type { BlobOf, CacheRecord } from '../ports.ts'
import { annotationsOn, type Annotation } from './annotations.ts'
import {
  attestationEntry,
  attestationManifest,
  document,
  imageEntry,
  imageIndex,
  imageManifest,
  isAttestation,
  layerDescriptor,
  type Document,
} from './image-documents.ts'

/** All documents of a build's result, each after what it names; the last is what a name points at. */
export interface ImageSet {
  /** Configurations and statements. */
  readonly blobs: readonly Document[]
  readonly manifests: readonly Document[]
  /** An index where there are several manifests, else the one. */
  readonly top: Document
}

/** Pure: same images, layers and names give the same bytes. */
export function imageSet(
  images: readonly AttestedImage[],
  options: {
    readonly layers: ReadonlyMap<Digest, BlobOf>
    readonly names: readonly string[]
    readonly inline: ReadonlyMap<string, CacheRecord> | undefined
    readonly annotations?: readonly Annotation[]
  },
): ImageSet {
  const { annotations = [] } = options
  const blobs: Document[] = []
  const manifests: Document[] = []
  const entries = images.flatMap((image) => {
    const config = document(MEDIA_TYPES.ociConfig, image.configBytes)
    const manifest = manifestOf(image, config, options)
    blobs.push(config)
    manifests.push(manifest)
    const entry = imageEntry(manifest, image.platform, annotationsOn(annotations, 'manifest-descriptor', image.platform))
    if (image.predicates.length === 0) return [entry]
    const said = attestationManifest(
      { manifest: manifest.digest, platform: image.platform, names: options.names },
      image.predicates,
    )
    blobs.push(...said.statements, said.config)
    manifests.push(said.manifest)
    return [entry, attestationEntry(said.manifest, manifest)]
  })
  const [only] = manifests
  if (only !== undefined && manifests.length === 1) return { blobs, manifests, top: only }
  // Attestations come behind all images: clients that take the first entry get one.
  const sorted = [...entries.filter((entry) => !isAttestation(entry)), ...entries.filter(isAttestation)]
  const index = imageIndex(sorted, annotationsOn(annotations, 'index'))
  return { blobs, manifests: [...manifests, index], top: index }
}

function manifestOf(
  image: AttestedImage,
  config: Document,
  { layers, inline, annotations = [] }: Parameters<typeof imageSet>[1],
): Document {
  const descriptors = image.config.diffIds.flatMap((diffId) => {
    const blob = layers.get(diffId)
    if (blob === undefined) return []
    const annotations = inline === undefined ? {} : { annotations: { [DIFF_ID_ANNOTATION]: diffId } }
    return [{ ...layerDescriptor(blob), ...annotations }]
  })
  const records = inline === undefined ? undefined : writeCacheRecords(recordsFor({ mode: 'min' }, [image], inline))
  const cache = records === undefined ? {} : { [CACHE_ANNOTATION]: records.toString() }
  return imageManifest(config, descriptors, { ...annotationsOn(annotations, 'manifest', image.platform), ...cache })
}
