import type { Digest } from '#base'
import { digestHex, digestOf } from '#oci/digest'
import { MEDIA_TYPES, writeIndex, writeManifest, writePlatform, type ImageConfig, type WrittenDescriptor } from '#oci/image'
import { familiarName, familiarText, parseReference } from '#oci/reference'

/** An image that is to be saved, and under which canonical names. */
export interface SavedImage {
  readonly id: Digest
  readonly config: ImageConfig
  readonly configBytes: Uint8Array
  readonly layers: readonly { readonly diffId: Digest; readonly sizeBytes: number }[]
  readonly names: readonly string[]
}

/** A file of the archive: bytes at hand, or a stored blob. */
export interface SavedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly bytes: Uint8Array | null
  readonly blob: Digest | null
}

/**
 * Docker's manifest.json with an OCI layout beside it: both name the same blobs. Same images and names, same archive, whatever the order
 * they were asked for in.
 */
export function planSave(asked: readonly SavedImage[]): readonly SavedFile[] {
  const images = asked.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const blobs = new Map<string, SavedFile>()
  const addBytes = (bytes: Uint8Array): WrittenDescriptor['digest'] => {
    const digest = digestOf(bytes)
    blobs.set(digest, { path: blobPath(digest), sizeBytes: bytes.length, bytes, blob: null })
    return digest
  }
  const manifests: WrittenDescriptor[] = []
  for (const image of images) {
    for (const { diffId, sizeBytes } of image.layers)
      blobs.set(diffId, { path: blobPath(diffId), sizeBytes, bytes: null, blob: diffId })
    addBytes(image.configBytes)
    const bytes = writeManifest(
      { mediaType: MEDIA_TYPES.ociConfig, digest: image.id, size: image.configBytes.length },
      image.layers.map(({ diffId, sizeBytes }) => ({ mediaType: MEDIA_TYPES.ociLayer, digest: diffId, size: sizeBytes })),
    )
    manifests.push(...describe(image, addBytes(bytes), bytes.length))
  }
  const documents: readonly (readonly [string, Uint8Array])[] = [
    ['index.json', writeIndex(manifests)],
    ['manifest.json', json(images.map(dockerEntry))],
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    ...(images.some(({ names }) => names.length > 0) ? ([['repositories', json(repositories(images))]] as const) : []),
  ]
  return [
    ...[...blobs.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    ...documents.map(([path, bytes]) => ({ path, sizeBytes: bytes.length, bytes, blob: null })),
  ]
}

function describe(image: SavedImage, digest: Digest, size: number): readonly WrittenDescriptor[] {
  const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest, size, platform: writePlatform(image.config) }
  if (image.names.length === 0) return [descriptor]
  return image.names.map((name) => ({
    ...descriptor,
    annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': parseReference(name).tag ?? '' },
  }))
}

function dockerEntry(image: SavedImage) {
  return {
    Config: blobPath(image.id),
    RepoTags: image.names.length === 0 ? null : image.names.map((name) => familiarText(parseReference(name))),
    Layers: image.layers.map(({ diffId }) => blobPath(diffId)),
  }
}

/** For readers of the first format only; it names the top layer. */
function repositories(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {}
  for (const image of images)
    for (const name of image.names) {
      const reference = parseReference(name)
      const repository = (found[familiarName(reference)] ??= {})
      repository[reference.tag ?? ''] = digestHex(image.layers.at(-1)?.diffId ?? image.id)
    }
  return found
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
