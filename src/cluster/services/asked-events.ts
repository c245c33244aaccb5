import { revisionChanges } from '#cluster/history'
import type { HistoryEvent, RevisionRecord, ServiceRecord } from '#cluster/model'

import type { ServiceWish } from './port.ts'
import type { WantedService } from './wanted-service.ts'

export type Verb = 'rollback' | 'scale' | 'pause' | 'resume' | 'promote' | 'abort' | 'remove'

/** What stands in the history of a service that somebody asked something of. Pure. */
export function askedEvents(verb: Verb, before: ServiceRecord, after: ServiceRecord): readonly HistoryEvent[] {
  switch (verb) {
    case 'rollback':
      return [{ type: 'rollback', fromRevision: before.revision, revision: after.revision }]
    case 'scale':
      return before.replicas === after.replicas
        ? []
        : [{ type: 'scaled', fromReplicas: before.replicas, replicas: after.replicas }]
    case 'pause':
      return [{ type: 'paused' }]
    case 'resume':
      return [{ type: 'resumed' }]
    case 'promote':
      return [{ type: 'promoted' }]
    case 'abort':
      return [{ type: 'aborted' }, ...ended(before, after)]
    case 'remove':
      return [{ type: 'removed' }]
  }
}

/** One that leads nowhere back is over at once. */
function ended(before: ServiceRecord, { rollout }: ServiceRecord): readonly HistoryEvent[] {
  if (rollout === null || rollout.endedAtMs === null || before.rollout?.endedAtMs !== null) return []
  const { from: fromRevision, to: revision, state: outcome, startedAtMs, endedAtMs, reason } = rollout
  return [{ type: 'rollout-ended', fromRevision, revision, outcome, tookMs: endedAtMs - startedAtMs, reason }]
}

export function createdEvent({ revision, replicas }: ServiceRecord, { spec }: ServiceWish): HistoryEvent {
  return { type: 'created', revision, image: spec.task.image, replicas }
}

/** None for a wish that was wanted already. */
export function updatedEvents(
  before: ServiceRecord,
  revisions: readonly RevisionRecord[],
  { service, revision }: WantedService,
): readonly HistoryEvent[] {
  if (revision === null) return []
  const wanted = revisions.find(({ number }) => number === before.revision)
  // What it was scaled to since is what it was.
  const known = wanted === undefined ? revision : { ...wanted, spec: { ...wanted.spec, replicas: before.replicas } }
  const isRolled = service.rollout !== null && service.rollout.startedAtMs !== before.rollout?.startedAtMs
  return [
    ...(isRolled ? superseded(before, service.updatedAtMs) : []),
    {
      type: 'changed',
      fromRevision: before.revision,
      revision: revision.number,
      ...revisionChanges(known, revision),
      strategy: isRolled ? revision.spec.update.strategy : null,
      isForced: (known.forced ?? 0) !== (revision.forced ?? 0),
    },
  ]
}

function superseded({ rollout }: ServiceRecord, atMs: number): readonly HistoryEvent[] {
  if (rollout === null || rollout.endedAtMs !== null) return []
  const { from: fromRevision, to: revision, startedAtMs } = rollout
  const reason = 'a newer wish took its place'
  return [{ type: 'rollout-ended', fromRevision, revision, outcome: 'superseded', tookMs: atMs - startedAtMs, reason }]
}
