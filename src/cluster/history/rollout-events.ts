import type { HistoryEvent, RolloutRecord } from '#cluster/model'

/** What the loop did with a rollout, from its record before and after. Pure. */
export function rolloutEvents(before: RolloutRecord | null, after: RolloutRecord | null): readonly HistoryEvent[] {
  if (before === null || after === null) return []
  if (after.state === 'rolling-back' && before.state !== 'rolling-back')
    return [{ type: 'rollout-turned', revision: before.to, reason: after.reason }]
  if (before.startedAtMs !== after.startedAtMs || before.to !== after.to) return []
  const { to: revision, reason } = after
  if (before.endedAtMs === null && after.endedAtMs !== null)
    return [
      {
        type: 'rollout-ended',
        fromRevision: after.from,
        revision,
        outcome: after.state,
        tookMs: after.endedAtMs - after.startedAtMs,
        reason,
      },
    ]
  if (after.state === 'paused' && before.state !== 'paused') return [{ type: 'rollout-halted', revision, reason }]
  if (after.step === before.step && after.weightPercent === before.weightPercent) return []
  const last = after.judgements.at(-1) ?? null
  const isNew = last !== null && last.atMs !== before.judgements.at(-1)?.atMs
  return [
    {
      type: 'rollout-step',
      revision,
      stage: after.step,
      weightPercent: after.weightPercent,
      reason,
      judgement: isNew ? last : null,
    },
  ]
}

/** Of a task that crashes again and again not every time is written down. */
export function isTelling(failures: number): boolean {
  if (failures <= 3) return failures > 0
  const [first, ...zeros] = String(failures)
  return '125'.includes(first ?? '') && zeros.every((digit) => digit === '0') && failures >= 5
}
