import type { KeyedLocks, Limiter } from '#base'
import type { Images } from '#engine/images'

import type { ConnectNeeds } from './connect.ts'
import type { KnownBlobs } from './known-blobs.ts'
import type { OwnRegistry } from './own.ts'

/** What pulls and pushes share. */
export interface TransferNeeds extends ConnectNeeds {
  readonly images: Images
  readonly known: KnownBlobs
  readonly downloads: Limiter
  readonly uploads: Limiter
  /** By layer: two transfers do not fetch or compress the same one side by side. */
  readonly locks: KeyedLocks
  /** A new path for a file that lives as long as one operation. */
  readonly temporaryPath: () => string
  /** The registry that this daemon serves, once it does. */
  readonly own: () => OwnRegistry | undefined
  /** The program that compresses several times faster than zlib, where it is installed. */
  readonly igzip: () => string | undefined
}
