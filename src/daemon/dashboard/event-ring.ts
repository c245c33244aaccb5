import type { LiveEvent } from '#dashboard/wire'
import type { EngineEvent } from '#engine/events'

/** What a page of events holds before it asks the history. */
const MAX_EVENTS = 300
const NS_PER_MS = 1_000_000n

/** The latest events, in the form in which they are shown. */
export interface EventRing {
  add(event: EngineEvent): void
  all(): ReadonlyMap<string, LiveEvent>
}

export function createEventRing(): EventRing {
  const events = new Map<string, LiveEvent>()
  let number = 0
  return {
    add: (event) => {
      // Health checks are execs, every few seconds, of every container that has one.
      if (event.action.startsWith('exec_')) return
      number += 1
      events.set(String(number), viewOf(event, number))
      const [oldest] = events.keys()
      if (events.size > MAX_EVENTS && oldest !== undefined) events.delete(oldest)
    },
    all: () => events,
  }
}

function viewOf({ type, action, actorId, attributes, timeNs }: EngineEvent, number: number): LiveEvent {
  const { name = '', exitCode, image, container } = attributes
  const notes = [
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
    ...(type === 'container' && image !== undefined ? [image] : []),
    ...(type === 'network' && container !== undefined ? [`container ${container.slice(0, 12)}`] : []),
  ]
  return { number, atMs: Number(timeNs / NS_PER_MS), type, action, id: actorId, name, note: notes.join(', ') }
}
