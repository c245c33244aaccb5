import type { Digest } from '#base'

import { MEDIA_TYPES } from './media-types.ts'
import type { Platform } from './platform.ts'

/** A descriptor of something that we made ourselves. */
export interface WrittenDescriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly size: number
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

/** An OCI manifest; same descriptors, same bytes. */
export function writeManifest(config: WrittenDescriptor, layers: readonly WrittenDescriptor[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers }))
}

export function writeIndex(manifests: readonly WrittenDescriptor[]): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }))
}

export function writePlatform({ architecture, os, variant }: Platform): NonNullable<WrittenDescriptor['platform']> {
  return { architecture, os, ...(variant === '' ? {} : { variant }) }
}
