import type { Clock } from '#base'
import type { Events } from '#engine/events'
import type { CgroupSample } from '#host'
import type { MemorySample } from '#operate/why'

/** How the memory of containers went: so that one that ran out of it can show how. */
export interface MemoryHistory extends Disposable {
  of(containerId: string): MemoryPast | undefined
}

export interface MemoryPast {
  /** In this life, or the last one. */
  readonly samples: readonly MemorySample[]
  readonly peakBytes: number | null
  /** Processes that the kernel killed for want of memory. */
  readonly kills: number
}

export interface MemoryHistoryNeeds {
  readonly events: Pick<Events, 'listen'>
  /** Those that run and have a limit of their own; others run out of the host's memory, if of any. */
  readonly limited: () => readonly { readonly id: string; readonly startedAtMs: number }[]
  /** Undefined: its group is gone. `isShort`: without the peak, which makes it cheaper. */
  readonly sample: (
    containerId: string,
    isShort: boolean,
  ) => Pick<CgroupSample, 'memoryBytes' | 'memoryInactiveFileBytes' | 'memoryPeakBytes' | 'oomKills'> | undefined
  readonly clock: Clock
}

/** Each is a look at a few small files every ten seconds: more would be work that somebody notices. */
const MAX_WATCHED = 500
/** When there are so many each second one goes: what is left is still the whole life. */
const MAX_SAMPLES = 64
/** Young ones are looked at more often, as a leak at the start is quick: after a quarter of their age, within these bounds. */
const SOONEST_MS = 100
const LATEST_MS = 10_000
const SHARE_OF_AGE = 0.25

interface Watched {
  samples: MemorySample[]
  peakBytes: number | null
  kills: number
  dueAtMs: number
}

export function openMemoryHistory({ events, limited, sample, clock }: MemoryHistoryNeeds): MemoryHistory {
  const watched = new Map<string, Watched>()
  let timer: Disposable | undefined
  let isClosed = false

  const look = (id: string, one: Watched): void => {
    const now = sample(id, true)
    if (now === undefined) return
    const atMs = clock.nowMs()
    if (now.memoryBytes !== undefined) {
      one.samples.push({ atMs, bytes: Math.max(0, now.memoryBytes - (now.memoryInactiveFileBytes ?? 0)) })
      if (one.samples.length > MAX_SAMPLES) one.samples = one.samples.filter((_, index) => index % 2 === 0)
    }
    one.kills = now.oomKills ?? 0
  }
  const round = (): void => {
    timer = undefined
    const nowMs = clock.nowMs()
    let nextMs = LATEST_MS
    for (const { id, startedAtMs } of limited().slice(0, MAX_WATCHED)) {
      const one = watched.get(id) ?? begin(id)
      if (one.dueAtMs <= nowMs) {
        look(id, one)
        one.dueAtMs = nowMs + Math.min(LATEST_MS, Math.max(SOONEST_MS, (nowMs - startedAtMs) * SHARE_OF_AGE))
      }
      nextMs = Math.min(nextMs, one.dueAtMs - nowMs)
    }
    // Nobody to look at: the next start wakes us.
    if (!isClosed && watched.size > 0) timer = clock.after(Math.max(SOONEST_MS, nextMs), round)
  }
  const begin = (id: string): Watched => {
    const one: Watched = { samples: [], peakBytes: null, kills: 0, dueAtMs: 0 }
    watched.set(id, one)
    return one
  }
  const soon = (): void => {
    timer?.[Symbol.dispose]()
    if (!isClosed) timer = clock.after(SOONEST_MS, round)
  }
  const listening = events.listen(({ type, action, actorId }) => {
    if (type !== 'container') return
    if (action === 'start') {
      watched.delete(actorId)
      soon()
    } else if (action === 'oom') ranOut(actorId)
    else if (action === 'destroy') watched.delete(actorId)
  })
  /** Its group is still there when this is told: its peak is what it came to. */
  const ranOut = (id: string): void => {
    const one = watched.get(id) ?? (watched.size < MAX_WATCHED * 2 ? begin(id) : undefined)
    const last = sample(id, false)
    if (one === undefined || last === undefined) return
    one.kills = last.oomKills ?? 0
    one.peakBytes = last.memoryPeakBytes ?? one.peakBytes
    if (one.peakBytes !== null) one.samples.push({ atMs: clock.nowMs(), bytes: one.peakBytes })
  }
  soon()
  return {
    of: (id) => watched.get(id),
    [Symbol.dispose]: () => {
      isClosed = true
      timer?.[Symbol.dispose]()
      listening[Symbol.dispose]()
    },
  }
}
