import {
  choosePlatform,
  formatPlatform,
  isImageConfigType,
  isIndexType,
  isManifestType,
  isObject,
  layerCompression,
  MAX_CONFIG_BYTES,
  MAX_INDEX_DEPTH,
  MAX_MANIFEST_BYTES,
  parseImageConfig,
  parseManifest,
  parseStrictJson,
  platform,
  type Descriptor,
  type ImageManifest,
  type Platform,
} from '#oci/image'
import { verifier } from '#oci/digest'
import { isTag, parseReference, type ImageReference } from '#oci/reference'

import { imageError } from '../errors.ts'
import { MAX_ARCHIVE_IMAGES } from '../limits.ts'
import { invalidArchive, shown, type Archive } from './archive.ts'
import type { PlannedImage, PlannedLayer } from './planned-image.ts'

const NAME_ANNOTATION = 'io.containerd.image.name'
const REF_ANNOTATION = 'org.opencontainers.image.ref.name'

/** image-spec, image-layout.md. Of an index with several platforms the one that fits `wanted` is taken. */
export function planOciLayout(archive: Archive, wanted: Platform): readonly PlannedImage[] {
  checkLayoutVersion(archive)
  const index = parseManifest(archive.read('index.json', MAX_MANIFEST_BYTES), null, 'index.json')
  if (index.kind !== 'index') throw invalidArchive('index.json is not an index')
  if (index.manifests.length > MAX_ARCHIVE_IMAGES)
    throw invalidArchive(`index.json names ${index.manifests.length} images, more than ${MAX_ARCHIVE_IMAGES}`)
  const candidates = index.manifests.filter(isImage)
  const fitting = candidates.filter(
    ({ platform }) => platform === null || choosePlatform(wanted, [platform], (one) => one) !== undefined,
  )
  if (fitting.length === 0) throw mismatch('index.json', candidates, wanted)
  return fitting.map((descriptor) => {
    const what = `image ${descriptor.digest.text}`
    return planImage(archive, readImageManifest(archive, descriptor, wanted, 1), namesOf(descriptor), what)
  })
}

function checkLayoutVersion(archive: Archive): void {
  const value = parseStrictJson(archive.read('oci-layout', MAX_MANIFEST_BYTES), 'oci-layout')
  const version = isObject(value) ? value['imageLayoutVersion'] : undefined
  if (version !== '1.0.0') throw invalidArchive(`its layout version ${JSON.stringify(version)?.slice(0, 40)} is not 1.0.0`)
}

/** Signatures and attestations stand beside images in an index and say so by their platform or type. */
function isImage(descriptor: Descriptor): boolean {
  if (!isIndexType(descriptor.mediaType) && !isManifestType(descriptor.mediaType)) return false
  if (descriptor.artifactType !== '') return false
  return descriptor.platform?.os !== 'unknown' && descriptor.annotations['vnd.docker.reference.type'] === undefined
}

function readImageManifest(archive: Archive, descriptor: Descriptor, wanted: Platform, depth: number): ImageManifest {
  const what = descriptor.digest.text
  const document = parseManifest(readBlob(archive, descriptor, MAX_MANIFEST_BYTES), descriptor.mediaType, what)
  if (document.kind === 'manifest') return document
  if (depth >= MAX_INDEX_DEPTH) throw invalidArchive(`${what}: indexes nest deeper than ${MAX_INDEX_DEPTH} levels`)
  const candidates = document.manifests.filter(isImage)
  const [only] = candidates
  const chosen =
    candidates.length === 1 && only?.platform === null
      ? only
      : choosePlatform(
          wanted,
          candidates.filter(({ platform }) => platform !== null),
          ({ platform }) => platform ?? wanted,
        )
  if (chosen === undefined) throw mismatch(what, candidates, wanted)
  return readImageManifest(archive, chosen, wanted, depth + 1)
}

function mismatch(what: string, candidates: readonly Descriptor[], wanted: Platform) {
  const offered = candidates.map(({ platform }) => (platform === null ? 'unnamed' : formatPlatform(platform)))
  const has = offered.length === 0 ? 'no image' : offered.slice(0, 20).join(', ')
  return imageError('image.platform_mismatch', `${what} has nothing for ${formatPlatform(wanted)}: it has ${has}`)
}

function planImage(archive: Archive, manifest: ImageManifest, names: readonly ImageReference[], what: string): PlannedImage {
  if (!isImageConfigType(manifest.config.mediaType))
    throw invalidArchive(`${what}: its configuration is of the type ${manifest.config.mediaType}, so it is no container image`)
  const bytes = readBlob(archive, manifest.config, MAX_CONFIG_BYTES)
  const config = parseImageConfig(bytes, `${what}: configuration`)
  if (config.diffIds.length !== manifest.layers.length)
    throw invalidArchive(`${what}: the manifest has ${manifest.layers.length} layers, the configuration ${config.diffIds.length}`)
  const layers = manifest.layers.map((descriptor, index): PlannedLayer => {
    if (layerCompression(descriptor.mediaType) === undefined)
      throw invalidArchive(`${what}: ${descriptor.mediaType} is no layer of a file system`)
    const file = archive.file(blobName(descriptor))
    checkSize(descriptor, file.sizeBytes)
    return { file, diffId: config.diffIds[index] ?? null, digest: descriptor.digest }
  })
  return { what, names, platform: platform(config.os, config.architecture, config.variant), layers, configBytes: () => bytes }
}

function readBlob(archive: Archive, descriptor: Descriptor, maxBytes: number): Buffer {
  const name = blobName(descriptor)
  const check = verifier({ digests: [descriptor.digest], sizeBytes: descriptor.sizeBytes }, shown(name))
  checkSize(descriptor, archive.file(name).sizeBytes)
  const bytes = archive.read(name, maxBytes)
  check.update(bytes)
  check.finish()
  return bytes
}

function checkSize(descriptor: Descriptor, sizeBytes: number): void {
  if (descriptor.sizeBytes !== sizeBytes)
    throw invalidArchive(`${descriptor.digest.text} has ${sizeBytes} bytes, its descriptor says ${descriptor.sizeBytes}`)
}

/** Built from a checked digest only. */
function blobName({ digest }: Descriptor): string {
  return `blobs/${digest.algorithm}/${digest.hex}`
}

/** containerd and Docker write the full name; others only a tag, which is no name, or the full name where the tag belongs. */
function namesOf({ annotations }: Descriptor): readonly ImageReference[] {
  const full = annotations[NAME_ANNOTATION]
  const short = annotations[REF_ANNOTATION]
  const text = full ?? (short !== undefined && /[/:]/.test(short) ? short : undefined)
  if (text === undefined) {
    if (short !== undefined && !isTag(short))
      throw invalidArchive(`${REF_ANNOTATION} ${shown(short)} is neither a name nor a tag`)
    return []
  }
  const reference = parseReference(text)
  if (reference.digest !== null) throw invalidArchive(`${shown(text)} is not a name with a tag`)
  return [reference.tag === null ? { ...reference, tag: 'latest' } : reference]
}
