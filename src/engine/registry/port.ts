import type { Digest } from '#base'
import type { Platform } from '#oci/image'

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
  /** Whether a registry takes these credentials. Error: `registry.unauthorized`. */
  signIn(request: { readonly credentials: RawCredentials; readonly signal: AbortSignal }): Promise<void>
}
