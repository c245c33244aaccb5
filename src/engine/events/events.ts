import { declareErrors, type Clock } from '#base'

import type { EngineEvent, Events } from './port.ts'

const eventsError = declareErrors({ 'events.too_slow': 'exhausted' })

/** How far back `--since` can look: about a quarter of an hour on a busy machine, under 1 MB. */
const MAX_HISTORY = 1024
/** A subscriber that lags this far behind is cut off instead of filling the memory. */
const MAX_BACKLOG = 4096

interface Subscriber {
  readonly queue: EngineEvent[]
  wake: () => void
  hasOverflown: boolean
}

export function createEvents(clock: Clock): Events & { subscribers(): number } {
  const history: EngineEvent[] = []
  const listeners = new Set<(event: EngineEvent) => void>()
  const subscribers = new Set<Subscriber>()
  let lastNs = 0n

  return {
    publish: (event) => {
      const nowNs = clock.nowNs()
      lastNs = nowNs > lastNs ? nowNs : lastNs + 1n
      const stamped: EngineEvent = { ...event, timeNs: lastNs }
      history.push(stamped)
      if (history.length > MAX_HISTORY) history.shift()
      for (const subscriber of subscribers) offer(subscriber, stamped)
      for (const listener of listeners) listener(stamped)
    },
    subscribers: () => subscribers.size,
    listen: (listener) => {
      listeners.add(listener)
      return { [Symbol.dispose]: () => void listeners.delete(listener) }
    },
    subscribe: (options) => follow(options, { history, subscribers, clock }),
  }
}

function offer(subscriber: Subscriber, event: EngineEvent): void {
  if (subscriber.queue.length >= MAX_BACKLOG) subscriber.hasOverflown = true
  else subscriber.queue.push(event)
  subscriber.wake()
}

interface Source {
  readonly history: readonly EngineEvent[]
  readonly subscribers: Set<Subscriber>
  readonly clock: Clock
}

function follow(options: Parameters<Events['subscribe']>[0], source: Source): AsyncIterable<EngineEvent> {
  const { sinceNs, untilNs, signal } = options
  const past = sinceNs === null ? [] : source.history.filter((event) => event.timeNs >= sinceNs)
  const subscriber: Subscriber = { queue: [...past], wake: () => undefined, hasOverflown: false }
  source.subscribers.add(subscriber)
  return drain()

  async function* drain(): AsyncGenerator<EngineEvent> {
    const abort = () => subscriber.wake()
    signal.addEventListener('abort', abort, { once: true })
    const waitMs = untilNs === null ? null : Math.max(0, Number((untilNs - source.clock.nowNs()) / 1_000_000n))
    let isOver = waitMs === 0
    using _end = waitMs === null || isOver ? undefined : source.clock.after(waitMs, () => ((isOver = true), subscriber.wake()))
    try {
      for (;;) {
        const next = subscriber.queue.shift()
        if (signal.aborted) return
        if (next !== undefined) {
          if (untilNs !== null && next.timeNs > untilNs) return
          yield next
        } else if (subscriber.hasOverflown) {
          throw eventsError('events.too_slow', `the reader is more than ${MAX_BACKLOG} events behind`)
        } else if (isOver) {
          return
        } else {
          const { promise, resolve } = Promise.withResolvers<void>()
          subscriber.wake = resolve
          await promise
        }
      }
    } finally {
      source.subscribers.delete(subscriber)
      signal.removeEventListener('abort', abort)
    }
  }
}
