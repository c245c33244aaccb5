import type { EngineEvent, Events } from '#engine/events'

/** A container that had to be killed, for it did not end when it was asked to. */
export interface NotedSlowEnd {
  readonly containerId: string
  /** Its name, image and labels. */
  readonly attributes: Readonly<Record<string, string>>
  readonly atMs: number
  readonly graceMs: number
  /** As a number. */
  readonly signal: number
}

export interface SlowEnds extends Disposable {
  /** The oldest first. */
  list(): readonly NotedSlowEnd[]
}

/** Who asks looks at the last few: a rollout of a service leaves one for each task. */
const MAX_NOTED = 64
/** Containers that were told to end and have not yet; beyond this something else is wrong. */
const MAX_ENDING = 1024

interface Ending {
  readonly signal: number
  readonly askedAtMs: number
  killedAtMs: number | null
  hasDied: boolean
}

const SIGKILL = 9
const NANOS_PER_MS = 1_000_000n

/** From the events of a stop: a signal, SIGKILL, the end, and that it was a stop. Nothing else has all four. */
export function openSlowEnds(events: Pick<Events, 'listen'>): SlowEnds {
  const ending = new Map<string, Ending>()
  const noted: NotedSlowEnd[] = []

  const signalled = (id: string, signal: number, atMs: number) => {
    const known = ending.get(id)
    if (signal === SIGKILL) {
      if (known !== undefined) known.killedAtMs = atMs
    } else if (ending.size < MAX_ENDING) ending.set(id, { signal, askedAtMs: atMs, killedAtMs: null, hasDied: false })
  }
  const stopped = (id: string, attributes: EngineEvent['attributes'], atMs: number) => {
    const known = ending.get(id)
    ending.delete(id)
    if (known?.killedAtMs === null || known === undefined || !known.hasDied) return
    noted.push({ containerId: id, attributes, atMs, graceMs: known.killedAtMs - known.askedAtMs, signal: known.signal })
    if (noted.length > MAX_NOTED) noted.shift()
  }
  const listening = events.listen(({ type, action, actorId, attributes, timeNs }) => {
    if (type !== 'container') return
    const atMs = Number(timeNs / NANOS_PER_MS)
    const known = ending.get(actorId)
    if (action === 'kill') signalled(actorId, Number(attributes['signal']), atMs)
    else if (action === 'die' && known !== undefined) known.hasDied = true
    else if (action === 'stop') stopped(actorId, attributes, atMs)
    else if (action === 'start' || action === 'destroy') ending.delete(actorId)
  })
  return { list: () => noted, [Symbol.dispose]: () => listening[Symbol.dispose]() }
}
