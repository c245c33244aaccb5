import type { LiveHost, Topic } from '#dashboard/wire'

import { Refusal, type Http } from './http.ts'
import { applyMessage, createRecent, emptyState, eventReader, type LiveState, type Recent } from './live-state.ts'
import { createValue, type Value } from './value.ts'

export type Connection = 'connecting' | 'live' | 'lost'

/** The picture of the house, kept up to date while somebody looks at it. */
export interface Live {
  readonly state: LiveState
  readonly recent: Recent
  readonly hosts: readonly LiveHost[]
  readonly connection: Value<Connection>
  /** The daemon's clock. */
  nowMs(): number
  listen(topics: readonly Topic[], tell: () => void): () => void
  start(): void
  stop(): void
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000
/** The daemon says something each 15 s: whoever is silent for longer is gone, also where the connection looks alive. */
const SILENT_MS = 40_000
/** A page that nobody sees costs the daemon nothing after that. */
const HIDDEN_MS = 60_000
const MAX_HOST_POINTS = 150

export function createLive(http: Http): Live {
  const state = emptyState()
  const recent = createRecent()
  const hosts: LiveHost[] = []
  const connection = createValue<Connection>('connecting')
  const listeners = new Set<{ readonly topics: readonly Topic[]; readonly tell: () => void }>()
  let aheadMs = 0
  let stopping: AbortController | undefined
  let hiding: ReturnType<typeof setTimeout> | undefined

  const note = (changed: readonly Topic[]) => {
    if (changed.includes('samples')) for (const [id, sample] of state.samples) recent.add(id, sample)
    if (changed.includes('containers')) recent.keepOnly(state.containers)
    const host = state.host.get('self')
    if (host !== undefined && hosts.at(-1)?.atMs !== host.atMs) {
      hosts.push(host)
      if (hosts.length > MAX_HOST_POINTS) hosts.shift()
    }
    for (const { topics, tell } of listeners) if (topics.some((topic) => changed.includes(topic))) tell()
  }

  async function read(signal: AbortSignal): Promise<void> {
    const silent = new AbortController()
    const either = AbortSignal.any([signal, silent.signal])
    let watchdog = setTimeout(() => silent.abort(), SILENT_MS)
    try {
      const response = await http.open('/live', either)
      const parse = eventReader()
      const decoder = new TextDecoder()
      const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        clearTimeout(watchdog)
        watchdog = setTimeout(() => silent.abort(), SILENT_MS)
        for (const message of parse(decoder.decode(next.value, { stream: true }))) {
          aheadMs = message.atMs - Date.now()
          note(applyMessage(state, message))
          connection.set('live')
        }
      }
    } finally {
      clearTimeout(watchdog)
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!signal.aborted) {
      try {
        await read(signal)
        pauseMs = FIRST_PAUSE_MS
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) return
      }
      if (signal.aborted) return
      connection.set('lost')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
    }
  }

  const start = () => {
    if (stopping !== undefined) return
    stopping = new AbortController()
    void run(stopping.signal)
  }
  const stop = () => {
    stopping?.abort()
    stopping = undefined
  }
  const onVisibility = () => {
    clearTimeout(hiding)
    if (document.visibilityState === 'visible') start()
    else hiding = setTimeout(stop, HIDDEN_MS)
  }
  return {
    state,
    recent,
    hosts,
    connection,
    nowMs: () => Date.now() + aheadMs,
    listen: (topics, tell) => {
      const listener = { topics, tell }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    start: () => {
      document.addEventListener('visibilitychange', onVisibility)
      start()
    },
    stop: () => {
      document.removeEventListener('visibilitychange', onVisibility)
      clearTimeout(hiding)
      stop()
      connection.set('connecting')
    },
  }
}
