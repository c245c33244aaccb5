import type { ChangeBatch } from '#cluster/store'

/** What stands in the store, followed without a gap. A change without keys: everything may be different. */
export interface ClusterPicture {
  readonly opened: Promise<void>
  range<T>(prefix: string): readonly PictureEntry<T>[]
  get<T>(key: string): PictureEntry<T> | undefined
  listen(listener: (batch: ChangeBatch<unknown>) => void): Disposable
}

export interface PictureEntry<T> {
  readonly key: string
  readonly value: T
  readonly revision: number
}
