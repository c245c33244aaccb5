import { digestHex } from '#oci/digest'
import { writeIndex, type WrittenDescriptor } from '#oci/image'
import { canonicalText, familiarText, parseReference, withDefaultTag } from '#oci/reference'
import { bytesOfText, packTar, type TarMember } from '#oci/tar'

import type { BlobBody, BlobOf } from '../ports.ts'
import { descriptorOf, type Document } from './image-documents.ts'
import type { ImageSet } from './image-set.ts'

/** How the layout calls what is in it, and what it says of it. */
interface Called {
  readonly names: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
}

/** An OCI layout as a tar (image-spec, image-layout.md), with Docker's manifest.json for what `docker load` of any age reads. Times are all 1970. */
export async function* layoutTar(
  set: ImageSet,
  layers: readonly (BlobOf & BlobBody)[],
  called: Called,
  docker: { readonly config: Document; readonly layers: readonly BlobOf[] } | undefined,
): AsyncGenerator<Buffer> {
  yield* packTar(members(set, layers, called, docker))
}

function* members(...[set, layers, called, docker]: Parameters<typeof layoutTar>): Generator<TarMember> {
  for (const path of ['blobs', 'blobs/sha256']) yield { entry: { path: bytesOfText(path), type: 'directory', mode: 0o755 } }
  const bodies = new Map<string, { sizeBytes: number; open: () => AsyncIterable<Buffer> | Iterable<Buffer> }>()
  for (const { digest, sizeBytes, open } of layers) bodies.set(digest, { sizeBytes, open: open as () => AsyncIterable<Buffer> })
  for (const { digest, bytes } of [...set.blobs, ...set.manifests])
    bodies.set(digest, { sizeBytes: bytes.length, open: () => [bytes] })
  for (const [digest, { sizeBytes, open }] of [...bodies].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    yield { entry: { path: bytesOfText(blobPath(digest)), type: 'file', mode: 0o644, size: sizeBytes }, body: open() }
  yield file('index.json', writeIndex(named(descriptorOf(set.top), called)))
  if (docker !== undefined) yield file('manifest.json', dockerManifest(docker, called.names))
  yield file('oci-layout', Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' })))
}

function named(top: WrittenDescriptor, { names, annotations: said }: Called): readonly WrittenDescriptor[] {
  if (names.length === 0) return [Object.keys(said).length === 0 ? top : { ...top, annotations: said }]
  return names.map((name) => {
    const reference = withDefaultTag(parseReference(name))
    const annotations = {
      ...said,
      'io.containerd.image.name': canonicalText(reference),
      'org.opencontainers.image.ref.name': reference.tag ?? '',
    }
    return { ...top, annotations }
  })
}

function dockerManifest(docker: NonNullable<Parameters<typeof layoutTar>[3]>, names: readonly string[]): Buffer {
  const tags = names.map((name) => familiarText(withDefaultTag(parseReference(name))))
  const entry = {
    Config: blobPath(docker.config.digest),
    RepoTags: tags.length === 0 ? null : tags,
    Layers: docker.layers.map(({ digest }) => blobPath(digest)),
  }
  return Buffer.from(JSON.stringify([entry]))
}

function blobPath(digest: string): string {
  return `blobs/sha256/${digestHex(digest as Parameters<typeof digestHex>[0])}`
}

function file(name: string, bytes: Buffer): TarMember {
  return { entry: { path: bytesOfText(name), type: 'file', mode: 0o644, size: bytes.length }, body: [bytes] }
}
