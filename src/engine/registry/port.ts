import type { Digest } from '#base'
import type { ByteSource } from '#engine/content'
import type { VerifiableDigest } from '#oci/digest'
import type { Descriptor, ImageIndex, ImageManifest, Platform } from '#oci/image'

import type { LayerForm } from './known-blobs.ts'
import type { RequestBody } from './wire.ts'

/** As `X-Registry-Auth` and `docker login` send them (Docker Engine API, AuthConfig). Unknown keys are ignored, as dockerd does. */
export type RawCredentials = Readonly<Record<string, string>>

export type RegistryProgress =
  | { readonly type: 'status'; readonly text: string; readonly id?: string }
  | {
      readonly type: 'layer'
      /** Short form of the layer's digest. */
      readonly id: string
      readonly status: string
      /** Only while bytes move. */
      readonly bytes?: { readonly current: number; readonly total: number }
    }
  | { readonly type: 'pulled'; readonly imageId: Digest; readonly digest: Digest }
  | { readonly type: 'pushed'; readonly tag: string; readonly digest: Digest; readonly sizeBytes: number }

export interface RemoteImage {
  readonly mediaType: string
  readonly digest: Digest
  readonly sizeBytes: number
  readonly platforms: readonly Platform[]
}

/** Images to and from registries. Errors: `registry.*`, and of documents and bytes `manifest.*`, `image_config.*`, `digest.*`, `content.*`. */
export interface Registries {
  /** One repository, for what is more than one image. Dispose of it. */
  artifacts(request: ArtifactRequest): Promise<ArtifactRepository>
  /** `ref` without tag and digest means `latest`. `platform` as in `linux/arm64`; null: the host's. */
  pull(request: {
    readonly ref: string
    /** All tags that the repository has, whatever tag `ref` has. */
    readonly isEveryTag?: boolean
    readonly platform: string | null
    readonly credentials: RawCredentials | null
    readonly signal: AbortSignal
  }): AsyncIterable<RegistryProgress>
  /** All tags of the repository when `tag` is null. Error: `registry.image_missing`. */
  push(request: {
    readonly name: string
    readonly tag: string | null
    readonly credentials: RawCredentials | null
    readonly signal: AbortSignal
  }): AsyncIterable<RegistryProgress>
  /** What a registry says of an image, without fetching it. */
  inspect(request: {
    readonly ref: string
    readonly credentials: RawCredentials | null
    readonly signal: AbortSignal
  }): Promise<RemoteImage>
  /** A registry for one that keeps copies of it, such as `docker.io`. */
  upstream(registry: string): Upstream
  /** Whether a registry takes these credentials. Error: `registry.unauthorized`. */
  signIn(request: { readonly credentials: RawCredentials; readonly signal: AbortSignal }): Promise<void>
}

/** What a repository of a registry holds, piece by piece, for what is more than one image: indices, attestations, caches of builds. */
export interface ArtifactRepository extends AsyncDisposable {
  /** `localhost:5000/team/web`. */
  readonly name: string
  /** By tag or digest, checked. Errors: `registry.manifest_unknown` and the like, `digest.*`, `manifest.*`. */
  manifest(reference: string): Promise<ImageManifest | ImageIndex>
  /** Bytes as they come: whoever reads them checks them. */
  blob(descriptor: Descriptor): ByteSource
  hasBlob(digest: Digest): Promise<boolean>
  upload(digest: Digest, body: Buffer | RequestBody): Promise<void>
  /** By tag, or by digest where it is to have no name. */
  putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<void>
  /** Has a stored layer there, compressed as suits the registry; nothing is sent that it has. */
  pushLayer(layer: { readonly diffId: Digest; readonly sizeBytes: number }): Promise<Omit<LayerForm, 'homes'>>
}

export interface ArtifactRequest {
  /** `name` or `name:tag`; only the name counts. */
  readonly ref: string
  readonly use: 'pull' | 'push'
  readonly credentials: RawCredentials | null
  readonly signal: AbortSignal
}

/** Another registry, as one that keeps copies of it sees it: asked as nobody in particular, its own mirrors first. */
export interface Upstream {
  /** By tag or digest; the bytes have what was promised of them. Errors: `registry.*`, `manifest.*`, `digest.*`. */
  manifest(
    path: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string }>
  /** Not checked: whoever keeps the bytes has to. */
  blob(path: string, digest: VerifiableDigest, sizeBytes: number, signal: AbortSignal): ByteSource
}
