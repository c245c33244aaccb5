import type { LiveMessage, LiveSample, LiveTopics, Topic } from '#dashboard/wire'

/** Everything that the live stream has told of. */
export type LiveState = { readonly [T in Topic]: Map<string, LiveTopics[T]> }

export function emptyState(): LiveState {
  return {
    containers: new Map(),
    samples: new Map(),
    stacks: new Map(),
    services: new Map(),
    tasks: new Map(),
    nodes: new Map(),
    routes: new Map(),
    host: new Map(),
    events: new Map(),
  }
}

/** Takes a message in, and tells which topics have changed. */
export function applyMessage(state: LiveState, { kind, topics }: LiveMessage): readonly Topic[] {
  const changed = new Set<Topic>()
  if (kind === 'snapshot')
    for (const topic of Object.keys(state) as Topic[]) {
      state[topic].clear()
      changed.add(topic)
    }
  for (const [topic, values] of Object.entries(topics)) {
    if (!(topic in state)) continue
    changed.add(topic as Topic)
    const map = state[topic as Topic] as Map<string, unknown>
    for (const [id, value] of Object.entries(values)) {
      if (value === null) map.delete(id)
      else map.set(id, value)
    }
  }
  return [...changed]
}

/** Server-sent events from pieces of text, however they are cut: gives the messages that are complete (HTML, section 9.2.6; only `data` is used). */
export function eventReader(): (chunk: string) => readonly LiveMessage[] {
  let rest = ''
  return (chunk) => {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks
      .filter((block) => block.startsWith('data: '))
      .map((block) => JSON.parse(block.slice('data: '.length)) as LiveMessage)
  }
}

/** Five minutes of samples. */
const MAX_POINTS = 150

/** The samples of late, by container, for the little curves. */
export interface Recent {
  add(id: string, sample: LiveSample): void
  of(id: string): readonly LiveSample[]
  keepOnly(ids: ReadonlyMap<string, unknown>): void
}

export function createRecent(): Recent {
  const points = new Map<string, LiveSample[]>()
  return {
    add: (id, sample) => {
      const list = points.get(id) ?? []
      if (list.at(-1)?.atMs === sample.atMs) return
      list.push(sample)
      if (list.length > MAX_POINTS) list.shift()
      points.set(id, list)
    },
    of: (id) => points.get(id) ?? [],
    keepOnly: (ids) => {
      for (const id of points.keys()) if (!ids.has(id)) points.delete(id)
    },
  }
}
