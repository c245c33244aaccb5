import type { Digest } from '#base'
import { digestHex, digestOf } from '#oci/digest'
import { formatPlatform, MEDIA_TYPES, writePlatform, type Platform, type WrittenDescriptor } from '#oci/image'
import { familiarName, parseReference } from '#oci/reference'

import type { BlobOf, Predicate } from '../ports.ts'

const LAYER_TYPES = { none: MEDIA_TYPES.ociLayer, gzip: MEDIA_TYPES.ociLayerGzip, zstd: MEDIA_TYPES.ociLayerZstd }
const REFERENCE_TYPE = 'vnd.docker.reference.type'
const IN_TOTO_TYPE = 'application/vnd.in-toto+json'
/** in-toto attestation framework; the version that readers of image attestations know. */
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v0.1'

/** A document of an image by its digest. */
export interface Document {
  readonly mediaType: string
  readonly digest: Digest
  readonly bytes: Buffer
}

export function document(mediaType: string, value: unknown): Document {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))
  return { mediaType, digest: digestOf(bytes), bytes }
}

export function descriptorOf({ mediaType, digest, bytes }: Document): WrittenDescriptor {
  return { mediaType, digest, size: bytes.length }
}

export function layerDescriptor({ digest, sizeBytes, compression }: BlobOf): WrittenDescriptor {
  return { mediaType: LAYER_TYPES[compression], digest, size: sizeBytes }
}

/** The manifest of one platform's image (OCI image-spec, manifest.md). */
export function imageManifest(
  config: Document,
  layers: readonly WrittenDescriptor[],
  annotations: Readonly<Record<string, string>>,
): Document {
  return document(MEDIA_TYPES.ociManifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: descriptorOf(config),
    layers,
    ...given(annotations),
  })
}

/** What is said of an image, as a manifest of its own: statements in the place of layers, as other builders store them. */
export interface AttestationDocuments {
  readonly manifest: Document
  readonly config: Document
  readonly statements: readonly Document[]
}

export function attestationManifest(
  image: { readonly manifest: Digest; readonly platform: Platform; readonly names: readonly string[] },
  predicates: readonly Predicate[],
): AttestationDocuments {
  const subject = subjectsOf(image)
  const statements = predicates.map(({ type, content }) =>
    document(IN_TOTO_TYPE, { _type: STATEMENT_TYPE, predicateType: type, subject, predicate: content }),
  )
  const config = document(MEDIA_TYPES.ociConfig, {
    architecture: 'unknown',
    os: 'unknown',
    config: {},
    rootfs: { type: 'layers', diff_ids: statements.map(({ digest }) => digest) },
  })
  const layers = statements.map((statement, index) => ({
    ...descriptorOf(statement),
    annotations: { 'in-toto.io/predicate-type': predicates[index]?.type ?? '' },
  }))
  return { manifest: imageManifest(config, layers, {}), config, statements }
}

/** Package addresses as purl-spec has them. */
function subjectsOf({ manifest, platform, names }: Parameters<typeof attestationManifest>[0]) {
  const digest = { sha256: digestHex(manifest) }
  const qualifier = `platform=${encodeURIComponent(formatPlatform(platform))}`
  const subjects = names.map((name) => {
    const reference = parseReference(name)
    return { name: `pkg:docker/${familiarName(reference)}@${reference.tag ?? 'latest'}?${qualifier}`, digest }
  })
  return subjects.length === 0 ? [{ name: '_', digest }] : subjects
}

export function imageEntry(
  manifest: Document,
  platform: Platform,
  annotations: Readonly<Record<string, string>> = {},
): WrittenDescriptor {
  return { ...descriptorOf(manifest), platform: writePlatform(platform), ...given(annotations) }
}

/** Without any the field is left out. */
function given(annotations: Readonly<Record<string, string>>) {
  return Object.keys(annotations).length === 0 ? {} : { annotations }
}

export function attestationEntry(manifest: Document, of: Document): WrittenDescriptor {
  return {
    ...descriptorOf(manifest),
    platform: { architecture: 'unknown', os: 'unknown' },
    annotations: { 'vnd.docker.reference.digest': of.digest, [REFERENCE_TYPE]: 'attestation-manifest' },
  }
}

export function isAttestation({ annotations }: WrittenDescriptor): boolean {
  return annotations?.[REFERENCE_TYPE] !== undefined
}

export function imageIndex(entries: readonly WrittenDescriptor[], annotations: Readonly<Record<string, string>> = {}): Document {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: entries }
  return document(MEDIA_TYPES.ociIndex, { ...index, ...given(annotations) })
}
