import type { EnvironmentRecord } from '#cluster/model'

export type EnvironmentStep =
  /** It ends soon. */
  | { readonly type: 'announce'; readonly record: EnvironmentRecord }
  /** From now on it is being removed. */
  | { readonly type: 'end'; readonly record: EnvironmentRecord }
  /** Its stack goes with all that it has, then the record. */
  | { readonly type: 'remove'; readonly record: EnvironmentRecord }

export interface EnvironmentPlan {
  readonly steps: readonly EnvironmentStep[]
  /** When to look again though nothing changed; null: there is no such time. */
  readonly nextMs: number | null
}

/** Long enough to do something about it, and no more than a part of its whole life. */
const ANNOUNCE_BEFORE_MS = 3_600_000
const ANNOUNCED_PART = 0.1

/** What to do now with environments whose time comes. `record` is what is to be written, but for `remove`. Pure. */
export function planEnvironments(records: readonly EnvironmentRecord[], nowMs: number): EnvironmentPlan {
  const steps = records.flatMap((record): readonly EnvironmentStep[] => {
    if (record.state === 'removing') return [{ type: 'remove', record }]
    const { expiresAtMs, announcedMs } = record
    if (record.state === 'creating' || expiresAtMs === null) return []
    const changed = { ...record, updatedAtMs: nowMs }
    if (nowMs >= expiresAtMs) return [{ type: 'end', record: { ...changed, state: 'removing', reason: 'its time was over' } }]
    if (nowMs >= announceAtMs(record, expiresAtMs) && announcedMs !== expiresAtMs)
      return [{ type: 'announce', record: { ...changed, announcedMs: expiresAtMs } }]
    return []
  })
  const times = records.flatMap((record) => {
    const { state, expiresAtMs } = record
    if (state !== 'active' || expiresAtMs === null) return []
    return [announceAtMs(record, expiresAtMs), expiresAtMs].filter((atMs) => atMs > nowMs)
  })
  return { steps, nextMs: times.length === 0 ? null : Math.min(...times) }
}

function announceAtMs({ createdAtMs }: EnvironmentRecord, expiresAtMs: number): number {
  return expiresAtMs - Math.min(ANNOUNCE_BEFORE_MS, (expiresAtMs - createdAtMs) * ANNOUNCED_PART)
}
