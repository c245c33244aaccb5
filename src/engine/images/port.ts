import type { Readable } from 'node:stream'

import type { Digest } from '#base'
import type { ByteSource, LayerIngestOptions } from '#engine/content'
import type { ImageConfig, ImageHistory, ImageProcessConfig } from '#oci/image'
import type { ImageReference } from '#oci/reference'

export type { ImageHistory, ImageProcessConfig }

export interface ImageRecord {
  /** Digest of the configuration's exact bytes. */
  readonly id: Digest
  /** `name:tag`, familiar form (`debian:bookworm`, not docker.io/library/...). */
  readonly tags: readonly string[]
  /** `name@sha256:…`. */
  readonly repoDigests: readonly string[]
  readonly architecture: string
  readonly os: string
  readonly variant: string
  readonly author: string
  readonly comment: string
  /** RFC 3339; the zero time when the image says none. */
  readonly created: string
  readonly config: ImageProcessConfig
  /** Uncompressed layers, base first. */
  readonly layers: readonly { readonly diffId: Digest; readonly sizeBytes: number }[]
  readonly history: readonly ImageHistory[]
  readonly sizeBytes: number
  readonly lastTaggedAt: string
  /** The image that it was committed on top of, where that is known. */
  readonly parent: Digest | null
}

/** `ref` below: a tag (tag `latest` when none), a digest, a full image id or an unambiguous prefix of at least 4 digits. Errors: `image.not_found`, `image.ambiguous`. */
export interface Images {
  get(ref: string): ImageRecord
  find(ref: string): ImageRecord | undefined
  /** Newest first. */
  list(): readonly ImageRecord[]
  tag(ref: string, target: string): Promise<void>
  /** In use by a container (asked through `isInUse`): `image.in_use`, unless only a tag goes. Says what happened, in order. */
  remove(
    ref: string,
    options: { readonly force: boolean; readonly noPrune: boolean },
  ): Promise<readonly ({ readonly untagged: string } | { readonly deleted: string })[]>
  /** docker-archive or OCI layout, plain, gzip or zstd. Yields progress; the last events name what was loaded. */
  load(archive: Readable, options?: LoadOptions): AsyncIterable<ImageProgress>
  /** docker-archive with an OCI layout beside it, as `docker save` of today writes. */
  save(refs: readonly string[]): Promise<Readable>
  /** A root file system tar becomes an image of one layer. `changes` are Dockerfile lines (CMD, ENV, ...). */
  import(options: {
    readonly tar: Readable
    readonly ref: string | null
    readonly message: string
    readonly changes: readonly string[]
    readonly platform: string | null
  }): Promise<ImageRecord>
  /** From layers that are stored already. */
  commit(options: {
    readonly config: ImageProcessConfig
    readonly architecture: string
    readonly os: string
    readonly layers: readonly Digest[]
    readonly history: readonly ImageHistory[]
    readonly created: string
    readonly author: string
    readonly comment: string
    readonly variant?: string
    /** What it was made on top of: that image is then not removed before this one. */
    readonly parent?: Digest | null
    /** A name for it, there in the same moment as the image. Errors: `reference.invalid`, `image.name_invalid`. */
    readonly ref?: string
  }): Promise<ImageRecord>
  /** Stores an uncompressed layer tar and makes it mountable. Same bytes, same diffId, stored once. */
  addLayer(tar: Readable): Promise<{ readonly diffId: Digest; readonly sizeBytes: number }>
  hasLayer(diffId: Digest): boolean
  /** For images that come or go piece by piece. */
  transfer(): ImageTransfer
  /**
   * Layers that no image names yet stay for an hour after `addLayer`; whoever wants them longer (a build cache) says so here, under a
   * name of its own. Replaces what the holder had before and survives a restart. Error: `image.layer_missing`.
   */
  retainLayers(holder: string, layers: readonly Digest[]): Promise<void>
  /** Unknown is fine. */
  releaseLayers(holder: string): Promise<void>
  /** The configuration as the image has it, with all its layers. Errors as `get`. */
  config(ref: string): ImageConfig
  /** Makes a base image out of Debian's packages, such as `debian:bookworm` or `debian:trixie-slim`. Errors: `image.bootstrap_*`. */
  bootstrap(ref: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<ImageProgress>
  /** Deletes what was only kept for containers that are gone now. Cheap when there is nothing. */
  sweep(): Promise<void>
  /** Finishes what a crash interrupted. Once, before anything else and after the snapshots' own. */
  recover(): Promise<void>
  prune(options: {
    readonly danglingOnly: boolean
    /** Images for which this is true are left alone. */
    readonly keep?: (image: ImageRecord) => boolean
  }): Promise<{
    readonly deleted: readonly ({ readonly untagged: string } | { readonly deleted: string })[]
    readonly reclaimedBytes: number
  }>
}

export interface LoadOptions {
  /** `linux/arm64`: only what is for this platform. null: of an image with several the one for this machine, and else whatever there is. */
  readonly platform?: string | null
  /** Nobody else holds the chunks of the archive, as those of a request: their memory is used again at once. */
  readonly isBody?: boolean
}

/**
 * Images that come or go piece by piece, as to and from a registry. What it holds stays until it is disposed of, and what no image names
 * by then goes.
 */
export interface ImageTransfer extends AsyncDisposable {
  /** False when the layer is not here. */
  hold(diffId: Digest): boolean
  /** Stores a layer and holds it. Errors as of every ingest, and the snapshots' own. */
  addLayer(source: ByteSource, options: LayerIngestOptions): Promise<Digest>
  /** Stores a layer whose plain tar is a file of this file system that was checked and never changes, as a link to it, and holds it. False when its size is another. */
  linkLayer(path: string, layer: { readonly diffId: Digest; readonly sizeBytes: number }): Promise<boolean>
  /**
   * The image of a configuration whose layers are all held, under these names, with tags or with digests: both or neither. True when one of
   * the names was not its before. Errors: `image_config.*`, `image.layer_missing`, `image.layers_invalid`.
   */
  store(configBytes: Uint8Array, references: readonly ImageReference[]): Promise<{ readonly id: Digest; readonly isNew: boolean }>
  /** Gives names, with tags or with digests, to a stored image. True when one of them was not its before. */
  name(id: Digest, references: readonly ImageReference[]): boolean
  /** The configuration's exact bytes. */
  configBytes(id: Digest): Promise<Buffer>
  /** Where the plain tar of a layer is that is held; it must not be changed. */
  layerPath(diffId: Digest): string
  /** Tells listeners: `pull` and `push` are known by the name that was asked for. */
  tell(action: 'pull' | 'push', id: Digest, name: string): void
}

export type ImageProgress =
  | {
      readonly type: 'layer'
      readonly id: string
      readonly status: string
      readonly currentBytes: number
      readonly totalBytes: number
    }
  | { readonly type: 'status'; readonly text: string }
  | { readonly type: 'loaded'; readonly image: ImageRecord; readonly ref: string | null }
