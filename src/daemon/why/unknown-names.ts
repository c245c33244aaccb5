import type { Clock } from '#base'

/** Names that containers asked for in vain. */
export interface UnknownNames {
  /** `networkIds`: those that it is in now, for it may be gone when somebody asks. */
  note(containerId: string, name: string, kind: 'unknown' | 'silent', networkIds: readonly string[]): void
  /** The youngest last. */
  list(): readonly NotedName[]
}

export interface NotedName {
  readonly containerId: string
  readonly name: string
  readonly kind: 'unknown' | 'silent'
  readonly times: number
  readonly lastAtMs: number
  readonly networkIds: readonly string[]
}

/** Each container may ask for what it likes: the youngest are kept. */
const MAX_NOTED = 256

export function openUnknownNames(clock: Clock): UnknownNames {
  const noted = new Map<string, NotedName>()
  return {
    note: (containerId, name, kind, networkIds) => {
      const key = `${containerId} ${name}`
      const times = (noted.get(key)?.times ?? 0) + 1
      noted.delete(key)
      noted.set(key, { containerId, name, kind, times, lastAtMs: clock.nowMs(), networkIds })
      const [oldest] = noted.keys()
      if (noted.size > MAX_NOTED && oldest !== undefined) noted.delete(oldest)
    },
    list: () => [...noted.values()],
  }
}
