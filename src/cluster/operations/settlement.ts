import type { ServiceSight } from '#cluster/services'

import { serviceView } from './service-view.ts'

export interface Settlement {
  /** `held`: it stands still because somebody said so, or until somebody says something. */
  readonly outcome: 'ready' | 'failed' | 'held'
  /** Why; empty when it is ready. */
  readonly reason: string
}

/**
 * What became of a wish, once nothing more comes of it by itself; null: it is on its way. `revision`: the one that is to come of it; another one that is there instead
 * means that it failed. Pure.
 */
export function settlementOf(sight: ServiceSight, revision: number | null): Settlement | null {
  const { record, version, plannedVersion } = sight
  // What it waits for is of before the last change.
  if (plannedVersion !== undefined && plannedVersion < version) return null
  const { state, why } = serviceView(sight)
  const { rollout } = record
  const held = sight.waits.find(({ isHeld }) => isHeld === true)
  const isOther = revision !== null && record.revision !== revision
  const isSuperseded = isOther && revision < record.revision && rollout?.state !== 'rolled-back' && rollout?.state !== 'aborted'
  const backReason = `${rollout?.state === 'aborted' ? 'aborted' : 'rolled back'} to revision ${record.revision}: ${rollout?.reason ?? ''}`
  switch (state) {
    case 'paused':
      return { outcome: 'held', reason: 'it is paused' }
    case 'removing':
      return isOther ? { outcome: 'failed', reason: 'it is being removed' } : null
    case 'failed':
      return {
        outcome: 'failed',
        reason: rollout?.state === 'paused' ? `the rollout stands still: ${rollout.reason}` : (why ?? ''),
      }
    case 'converging':
      return held === undefined ? null : { outcome: 'held', reason: held.reason }
    case 'ready':
    case 'done':
      if (isSuperseded) return { outcome: 'failed', reason: `a newer wish took its place: revision ${record.revision} is there` }
      return isOther ? { outcome: 'failed', reason: backReason } : { outcome: 'ready', reason: '' }
  }
}
