import { messageOf, type Clock, type Log } from '#base'
import type { LiveTopics, Topic } from '#dashboard/wire'

import { createKnown, deltaText, type Known } from './known.ts'
import { TOPICS, type LiveSource, type Watching } from './source.ts'

/** Changes of this long go together into one message. */
const BATCH_MS = 250
/** The longer a round of reading took, the longer until the next, so that this part of the time goes into it; but nobody waits longer than that for news. */
const MAX_SHARE = 0.03
const MAX_REST_MS = 600

export interface LiveReader {
  /** One message. False: too far behind, and gone. */
  tell(text: string): boolean
}

/** One picture of the house for all who look at it. Watches only while somebody does. */
export interface LiveHub {
  /** Tells a snapshot, then each change. */
  join(reader: LiveReader): Disposable
}

export function createLiveHub(of: { readonly source: LiveSource; readonly clock: Clock; readonly log: Log }): LiveHub {
  const readers = new Set<LiveReader>()
  let round: Round | undefined
  const leave = (reader: LiveReader) => {
    if (!readers.delete(reader) || readers.size > 0) return
    round?.[Symbol.dispose]()
    round = undefined
  }
  const tellAll = (text: string) => {
    for (const reader of readers) if (!reader.tell(text)) leave(reader)
  }
  return {
    join: (reader) => {
      readers.add(reader)
      round ??= startRound(of, tellAll)
      // Before the first reading is done there is nothing to tell: the snapshot follows, for all.
      const snapshot = round.snapshot()
      if (snapshot !== undefined && !reader.tell(snapshot)) leave(reader)
      return { [Symbol.dispose]: () => leave(reader) }
    },
  }
}

interface Round extends Disposable {
  snapshot(): string | undefined
}

type Dirty = Map<Topic, Set<string> | null>

function startRound(
  { source, clock, log }: { readonly source: LiveSource; readonly clock: Clock; readonly log: Log },
  tell: (text: string) => void,
): Round {
  const known: Known = createKnown()
  let dirty: Dirty = new Map(TOPICS.map((topic) => [topic, null]))
  let isTold = false
  let isOver = false
  let isReading = false
  let timer: Disposable | undefined
  let restMs = 0

  const arm = () => {
    if (isOver || isReading || timer !== undefined || dirty.size === 0) return
    timer = clock.after(isTold ? Math.max(BATCH_MS, restMs) : 0, () => {
      timer = undefined
      void read()
    })
  }
  const watching: Watching = source.watch((topic, ids) => {
    const before = dirty.get(topic)
    if (ids === null) dirty.set(topic, null)
    else if (before === undefined) dirty.set(topic, new Set(ids))
    else for (const id of ids) before?.add(id)
    arm()
  })

  async function read(): Promise<void> {
    isReading = true
    const startedMs = clock.monotonicMs()
    const taken = dirty
    dirty = new Map()
    const changes: Record<string, Record<string, unknown>> = {}
    for (const [topic, ids] of taken) {
      const changed = await readTopic(topic, ids === null ? null : [...ids])
      if (isOver) return
      if (Object.keys(changed).length > 0) changes[topic] = changed
    }
    if (!isTold) tell(known.snapshot(clock.nowMs()))
    else if (Object.keys(changes).length > 0) tell(deltaText(clock.nowMs(), changes))
    isTold = true
    isReading = false
    restMs = Math.min(MAX_REST_MS, (clock.monotonicMs() - startedMs) / MAX_SHARE)
    arm()
  }

  async function readTopic<T extends Topic>(topic: T, ids: readonly string[] | null): Promise<Record<string, unknown>> {
    try {
      const now: ReadonlyMap<string, LiveTopics[T]> = await watching.read(topic, ids)
      return known.take(topic, ids, now)
    } catch (error) {
      // The others are told all the same; this one with its next change.
      log.warn('the dashboard could not read', { topic, error: messageOf(error) })
      return {}
    }
  }

  arm()
  return {
    snapshot: () => (isTold ? known.snapshot(clock.nowMs()) : undefined),
    [Symbol.dispose]: () => {
      isOver = true
      timer?.[Symbol.dispose]()
      watching[Symbol.dispose]()
    },
  }
}
