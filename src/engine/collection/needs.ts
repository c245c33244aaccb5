import type { Clock, Digest, Log, RecordStore } from '#base'
import type { Builder } from '#engine/builder'
import type { Events } from '#engine/events'
import type { Images } from '#engine/images'

import type { ImageUse } from './image-use.ts'
import type { CollectionPolicy, DiskSpace } from './port.ts'

/** Somebody who needs an image. */
export interface ImageReferrer {
  readonly image: Digest
  /** In words, such as `container web`. */
  readonly by: string
}

export interface CollectionNeeds {
  /** Asked anew each time: it may change, and `start` is then called again. */
  readonly policy: () => CollectionPolicy
  readonly clock: Clock
  readonly log: Log
  readonly records: RecordStore
  readonly events: Pick<Events, 'publish'>
  readonly images: Pick<Images, 'list' | 'prune'>
  readonly builder: Pick<Builder, 'usage' | 'prune'>
  readonly use: ImageUse
  /** Containers, stacks, whoever: asked again right before anything is removed. */
  readonly referrers: () => readonly ImageReferrer[]
  /** When the oldest of the builds that run began; null: none runs. What was used since then may be its. */
  readonly oldestBuildMs: () => number | null
  /** Of the disk that holds images. */
  readonly space: () => DiskSpace
  /** Since the machine started, suspended time included: tells a clock that was set from time that went by. */
  readonly uptimeMs: () => number
}
