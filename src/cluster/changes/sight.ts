import type { TaskRecord } from '#cluster/model'

/** What is there, as far as it tells how long a change takes. */
export interface Sight {
  /** By name; a service that is not in it has no tasks. */
  readonly services: Readonly<Record<string, ServiceSeen>>
  /** Volumes that are not wanted any more go, and with them what is on them. */
  readonly removesVolumes: boolean
}

export interface ServiceSeen {
  readonly runningTasks: number
  /** Of a global service: nodes that it belongs on. */
  readonly desiredTasks: number
  /** From the start of its process until a task was ready, of the youngest; null: that was not seen. */
  readonly startMs: number | null
  /** The change is a way back: its settings are those of `rollback`. Absent: it is none. */
  readonly isGoingBack?: boolean
}

export const NOTHING_SEEN: Sight = { services: {}, removesVolumes: false }

/** How long the youngest task took until it was ready. One that was ready, was not, and is again tells less than it seems: it counts as it is. */
export function startTimeOf(tasks: readonly TaskRecord[]): number | null {
  for (const { status } of tasks.toSorted((a, b) => b.createdAtMs - a.createdAtMs)) {
    const { readySinceMs, startedAtMs } = status
    if (typeof readySinceMs === 'number' && typeof startedAtMs === 'number' && readySinceMs >= startedAtMs)
      return readySinceMs - startedAtMs
  }
  return null
}
