import type { LiveTopics, Topic } from '#dashboard/wire'

/** What the live stream is made of. */
export interface LiveSource {
  /** Begins to watch; nothing is watched before, and nothing after the disposal. */
  watch(changed: Changed): Watching
}

/** `ids` null: any of the topic may have changed, come or gone. */
export type Changed = (topic: Topic, ids: readonly string[] | null) => void

export interface Watching extends Disposable {
  /** Values of a topic as they are now: all of them, or those of `ids` that are there. */
  read<T extends Topic>(topic: T, ids: readonly string[] | null): Promise<ReadonlyMap<string, LiveTopics[T]>>
}

export const TOPICS: readonly Topic[] = [
  'host',
  'nodes',
  'stacks',
  'services',
  'tasks',
  'routes',
  'containers',
  'samples',
  'events',
]
