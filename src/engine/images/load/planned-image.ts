import type { Digest } from '#base'
import type { VerifiableDigest } from '#oci/digest'
import type { Platform } from '#oci/image'
import type { ImageReference } from '#oci/reference'

import type { ArchiveFile } from './archive.ts'

export interface PlannedLayer {
  readonly file: ArchiveFile
  /** null: only known once it is read (Docker's first format). */
  readonly diffId: Digest | null
  /** What the archive promises of the bytes as they lie in it. */
  readonly digest: VerifiableDigest | null
}

/** One image of an archive, all documents read and checked against each other, no layer touched yet. */
export interface PlannedImage {
  readonly what: string
  readonly names: readonly ImageReference[]
  /** As its configuration says. */
  readonly platform: Platform
  readonly layers: readonly PlannedLayer[]
  /** The exact bytes of the configuration, once the layers' digests are known. */
  configBytes(diffIds: readonly Digest[]): Uint8Array
}
