import { canonical, type RevisionRecord, type ServiceRecord } from '#cluster/model'

import { serviceError } from './errors.ts'
import { MAX_REPLICAS } from './bounds.ts'
import type { ServiceWish } from './port.ts'
import { isMoving, newRollout, rolledBack } from './rollout-progress.ts'
import { templateHash } from './template-hash.ts'

/** What a call of a user makes of a service. All pure: a record before, a record after. */
export interface WantedService {
  readonly service: ServiceRecord
  /** null: no new one. */
  readonly revision: RevisionRecord | null
}

export function createdService(id: string, wish: ServiceWish, nowMs: number): WantedService {
  checkReplicas(wish.spec.replicas)
  const service: ServiceRecord = {
    id,
    name: wish.name,
    stack: wish.stack,
    labels: wish.labels,
    revision: 1,
    previousRevision: null,
    replicas: wish.spec.replicas,
    state: 'active',
    rollout: null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  }
  return { service, revision: revisionOf(id, 1, wish, nowMs) }
}

function revisionOf(serviceId: string, number: number, wish: ServiceWish, nowMs: number): RevisionRecord {
  const { spec, parts, imageId, by, forced = 0 } = wish
  const hash = templateHash(spec, parts, imageId, forced)
  const more = forced === 0 ? {} : { forced }
  return { serviceId, number, spec, parts, imageId, templateHash: hash, createdAtMs: nowMs, by, ...more }
}

/** The youngest number is not always the wanted one: after a rollback there are younger ones. */
export function updatedService(
  before: ServiceRecord,
  revisions: readonly RevisionRecord[],
  wish: ServiceWish,
  nowMs: number,
): WantedService & { readonly isChanged: boolean } {
  checkReplicas(wish.spec.replicas)
  const wanted = revisions.find((revision) => revision.number === before.revision)
  if (wanted !== undefined && wanted.spec.mode !== wish.spec.mode)
    throw serviceError(
      'service.not_possible',
      `service ${before.name} is ${wanted.spec.mode} and cannot become ${wish.spec.mode}`,
      {
        hint: 'Remove it, and make it anew.',
      },
    )
  const replicas = wish.spec.mode === 'replicated' ? wish.spec.replicas : before.replicas
  const next = revisionOf(before.id, Math.max(0, ...revisions.map(({ number }) => number)) + 1, wish, nowMs)
  const isSame =
    wanted !== undefined &&
    canonical([wanted.spec, wanted.parts, wanted.imageId, wanted.forced ?? 0]) ===
      canonical([next.spec, next.parts, next.imageId, next.forced ?? 0]) &&
    canonical(before.labels) === canonical(wish.labels) &&
    before.name === wish.name &&
    before.replicas === replicas
  const asked = { ...goneOn(before, nowMs), forgivenAtMs: nowMs, updatedAtMs: nowMs }
  if (isSame) return { service: asked, revision: null, isChanged: false }
  const { rollout } = before
  const isOver = rollout === null || rollout.endedAtMs !== null
  const good = isOver || rollout.from === null ? before.revision : rollout.from
  const service: ServiceRecord = {
    ...asked,
    name: wish.name,
    labels: wish.labels,
    replicas,
    revision: next.number,
    previousRevision: good,
    rollout: rolloutTo(before, wanted, next, good, nowMs),
  }
  return { service, revision: next, isChanged: true }
}

/** Without a difference in the tasks there is nothing to roll; a rollout under way goes on under the new number. */
function rolloutTo(
  before: ServiceRecord,
  wanted: RevisionRecord | undefined,
  next: RevisionRecord,
  good: number,
  nowMs: number,
): ServiceRecord['rollout'] {
  const { rollout } = before
  if (next.spec.job !== null) return null
  if (wanted?.templateHash !== next.templateHash) return newRollout(good, next.number, nowMs, `by ${next.by}`)
  return isMoving(rollout) ? { ...rollout, to: next.number } : rollout
}

export function scaledService(before: ServiceRecord, mode: string, replicas: number, nowMs: number): ServiceRecord {
  if (mode !== 'replicated')
    throw serviceError('service.not_possible', `service ${before.name} is ${mode}: it has no replicas to set`)
  checkReplicas(replicas)
  return { ...before, replicas, forgivenAtMs: nowMs, updatedAtMs: nowMs }
}

export function rolledBackService(
  before: ServiceRecord,
  revisions: readonly RevisionRecord[],
  by: string,
  nowMs: number,
): ServiceRecord {
  const to = before.previousRevision
  const target = revisions.find((revision) => revision.number === to)
  if (to === null || target === undefined)
    throw serviceError('service.not_possible', `service ${before.name} has no revision to go back to`)
  if (target.spec.job !== null)
    throw serviceError('service.not_possible', `service ${before.name} is a job: what it did is done`, {
      hint: 'Update it to what it was: that is a new run.',
    })
  const reason = `asked for by ${by}`
  const moving = {
    ...before,
    rollout: before.rollout?.from === to ? before.rollout : newRollout(to, before.revision, nowMs, reason),
  }
  const back = rolledBack(moving, reason, nowMs)
  return { ...back, replicas: target.spec.mode === 'replicated' ? target.spec.replicas : before.replicas, forgivenAtMs: nowMs }
}

export function pausedService(before: ServiceRecord, nowMs: number): ServiceRecord {
  return before.state === 'active' ? { ...before, state: 'paused', updatedAtMs: nowMs } : before
}

export function resumedService(before: ServiceRecord, nowMs: number): ServiceRecord {
  return { ...goneOn({ ...before, state: 'active' }, nowMs), forgivenAtMs: nowMs, updatedAtMs: nowMs }
}

export function promotedService(before: ServiceRecord, nowMs: number): ServiceRecord {
  const after = resumedService(before, nowMs)
  if (!isMoving(after.rollout)) throw serviceError('service.not_possible', `service ${before.name} has no rollout under way`)
  return { ...after, rollout: { ...after.rollout, isPromoted: true, reason: 'promoted' } }
}

export function abortedService(before: ServiceRecord, nowMs: number): ServiceRecord {
  const after = resumedService(before, nowMs)
  const { rollout } = after
  if (!isMoving(rollout)) throw serviceError('service.not_possible', `service ${before.name} has no rollout under way`)
  if (rollout.state === 'rolling-back')
    throw serviceError('service.not_possible', `service ${before.name} is on its way back already`)
  if (rollout.from === null) return { ...after, rollout: { ...rollout, state: 'aborted', endedAtMs: nowMs, reason: 'aborted' } }
  return rolledBack(after, 'aborted', nowMs)
}

/** A rollout that failures stopped goes on; what failed before does not count again. */
function goneOn(before: ServiceRecord, nowMs: number): ServiceRecord {
  const { rollout } = before
  if (rollout?.state !== 'paused') return before
  return { ...before, rollout: { ...rollout, state: 'running', startedAtMs: nowMs, failedTasks: [], reason: 'it goes on' } }
}

function checkReplicas(replicas: number): void {
  if (replicas > MAX_REPLICAS)
    throw serviceError('service.too_many_tasks', `${replicas} replicas of one service; ${MAX_REPLICAS} is the most`)
}
