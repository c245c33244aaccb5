import type { RolloutRecord, ServiceRecord } from '#cluster/model'
import type { RolloutSpec } from '#cluster/spec'

import { KEPT_JUDGEMENTS, PROOF_MS } from './bounds.ts'
import { isReadyTask, targetOf, type Seat, type ServiceState } from './service-state.ts'

/** A rollout that goes on, as it was asked for or back. */
export function isMoving(rollout: RolloutRecord | null): rollout is RolloutRecord {
  return rollout?.state === 'running' || rollout?.state === 'rolling-back'
}

/** The settings that hold for the change under way, or the next one. */
export function settingsOf(state: ServiceState): RolloutSpec | undefined {
  const spec = targetOf(state)?.spec
  return state.service.rollout?.state === 'rolling-back' ? spec?.rollback : spec?.update
}

export function newRollout(from: number | null, to: number, nowMs: number, reason: string): RolloutRecord {
  return {
    from,
    to,
    state: 'running',
    startedAtMs: nowMs,
    endedAtMs: null,
    reason,
    step: 0,
    stepStartedAtMs: nowMs,
    weightPercent: null,
    failedTasks: [],
    isPromoted: false,
    judgements: [],
  }
}

/** The same service with its rollout one step on. */
export function withRollout(service: ServiceRecord, change: Partial<RolloutRecord>, nowMs: number): ServiceRecord {
  const { rollout } = service
  if (rollout === null) return service
  const judgements = (change.judgements ?? rollout.judgements).slice(-KEPT_JUDGEMENTS)
  return { ...service, rollout: { ...rollout, ...change, judgements }, updatedAtMs: nowMs }
}

/** Back to where the rollout came from. What was the way back becomes the wish; there is no further way back then. */
export function rolledBack(service: ServiceRecord, reason: string, nowMs: number, cause?: RolloutRecord['cause']): ServiceRecord {
  const { rollout } = service
  if (rollout === null || rollout.from === null) return service
  const back: RolloutRecord = {
    ...newRollout(rollout.to, rollout.from, nowMs, reason),
    state: 'rolling-back',
    // Those that served until now take everything again at once.
    weightPercent: rollout.weightPercent === null ? null : 100,
    judgements: rollout.judgements,
    ...(cause === undefined ? {} : { cause }),
  }
  return { ...service, revision: rollout.from, previousRevision: null, rollout: back, updatedAtMs: nowMs }
}

/** When a task can be relied on: it is ready, and has shown it for a while unless a check says so. Infinity: it is not ready. */
export function provenAtMs(state: ServiceState, seat: Seat, monitorMs: number): number {
  const { task } = seat
  if (seat.isFallen)
    return task.status.state === 'complete' && isEndWanted(state, seat) ? task.status.sinceMs : Number.POSITIVE_INFINITY
  if (!isReadyTask(task)) return Number.POSITIVE_INFINITY
  const checks = state.revisions.get(task.revision)?.spec.checks
  const isChecked = task.status.health === 'healthy' || (checks !== undefined && checks.readiness !== null)
  return (task.status.readySinceMs ?? task.status.sinceMs) + (isChecked ? 0 : Math.min(PROOF_MS, monitorMs))
}

function isEndWanted(state: ServiceState, { task }: Seat): boolean {
  return state.revisions.get(task.revision)?.spec.restart.condition !== 'always'
}

/** It failed in the time in which it was to prove itself. */
export function failedItsProof({ task }: Pick<Seat, 'task'>, rollout: RolloutRecord, monitorMs: number): boolean {
  const { status } = task
  if (task.createdAtMs < rollout.startedAtMs || task.revision !== rollout.to) return false
  if (status.state !== 'failed' && status.state !== 'rejected') return false
  if (task.desiredState === 'shutdown' || task.desiredState === 'remove') return false
  const startedAtMs = status.startedAtMs ?? null
  return startedAtMs === null || status.sinceMs - startedAtMs <= monitorMs + PROOF_MS
}
