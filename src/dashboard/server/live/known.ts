import type { LiveMessage, Topic } from '#dashboard/wire'

type Values = Record<string, unknown>

/** What was told to every reader, each value as the text that was sent. */
export interface Known {
  /** Takes what a topic is now (`ids` null: all of it; else only these may differ) and gives what is to be told. */
  take(topic: Topic, ids: readonly string[] | null, now: ReadonlyMap<string, unknown>): Values
  /** All of it, as the text of a message. */
  snapshot(atMs: number): string
}

export function createKnown(): Known {
  const topics = new Map<Topic, Map<string, string>>()
  return {
    take: (topic, ids, now) => {
      const before = topics.get(topic) ?? new Map<string, string>()
      topics.set(topic, before)
      // Without a prototype: an id may be any text.
      const changes = Object.create(null) as Values
      for (const [id, value] of now) {
        const text = JSON.stringify(value)
        if (before.get(id) === text) continue
        before.set(id, text)
        changes[id] = value
      }
      for (const id of ids ?? [...before.keys()]) {
        if (now.has(id) || !before.delete(id)) continue
        changes[id] = null
      }
      return changes
    },
    snapshot: (atMs) => {
      const parts = [...topics].map(([topic, values]) => {
        const entries = [...values].map(([id, text]) => `${JSON.stringify(id)}:${text}`)
        return `${JSON.stringify(topic)}:{${entries.join(',')}}`
      })
      return `{"kind":"snapshot","atMs":${atMs},"topics":{${parts.join(',')}}}`
    },
  }
}

export function deltaText(atMs: number, topics: Readonly<Record<string, Values>>): string {
  const message = { kind: 'delta', atMs, topics } satisfies { readonly [K in keyof LiveMessage]: unknown }
  return JSON.stringify(message)
}
