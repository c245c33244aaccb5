import type { Digest } from '#base'
import { MEDIA_TYPES, writeManifest, type WrittenDescriptor } from '#oci/image'

import type { LayerForm } from './known-blobs.ts'

export interface PushedLayer {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly compression: LayerForm['compression']
}

const DOCKER_LAYERS = { none: MEDIA_TYPES.dockerLayer, gzip: MEDIA_TYPES.dockerLayerGzip }
const OCI_LAYERS = { none: MEDIA_TYPES.ociLayer, gzip: MEDIA_TYPES.ociLayerGzip, zstd: MEDIA_TYPES.ociLayerZstd }

/**
 * The manifest of a push: Docker's schema 2, which every registry and client takes; OCI's where a layer is compressed with zstd, for which
 * Docker's has no type. Same layers, same bytes. Pure.
 */
export function planManifest(
  config: { readonly digest: Digest; readonly sizeBytes: number },
  layers: readonly PushedLayer[],
): { readonly mediaType: string; readonly bytes: Buffer } {
  if (layers.some(({ compression }) => compression === 'zstd')) {
    const bytes = writeManifest(
      describe(MEDIA_TYPES.ociConfig, config),
      layers.map((layer) => describe(OCI_LAYERS[layer.compression], layer)),
    )
    return { mediaType: MEDIA_TYPES.ociManifest, bytes }
  }
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.dockerManifest,
    config: describe(MEDIA_TYPES.dockerConfig, config),
    layers: layers.map((layer) => describe(DOCKER_LAYERS[layer.compression === 'none' ? 'none' : 'gzip'], layer)),
  }
  return { mediaType: MEDIA_TYPES.dockerManifest, bytes: Buffer.from(JSON.stringify(document)) }
}

function describe(mediaType: string, blob: { readonly digest: Digest; readonly sizeBytes: number }): WrittenDescriptor {
  return { mediaType, size: blob.sizeBytes, digest: blob.digest }
}
