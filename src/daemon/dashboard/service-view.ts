import type { TaskRecord } from '#cluster/model'
import type { ServiceSight } from '#cluster/services'
import type { LiveService, LiveTask } from '#dashboard/wire'

export function serviceView({ record, revision, ...sight }: ServiceSight): LiveService {
  const { id, name, stack, state, previousRevision, replicas, rollout, updatedAtMs } = record
  const { spec } = revision
  return {
    id,
    name,
    stack,
    image: spec.task.image,
    mode: spec.mode,
    strategy: spec.update.strategy,
    state,
    revision: record.revision,
    previousRevision,
    replicas,
    desiredTasks: sight.desiredTasks,
    runningTasks: sight.runningTasks,
    readyTasks: sight.readyTasks,
    completedTasks: sight.completedTasks,
    rollout,
    steps: (spec.update.canary?.steps ?? []).map(({ weightPercent }) => weightPercent),
    judgements: rollout?.judgements ?? [],
    waits: sight.waits.map(({ reason, untilMs, isHopeless }) => ({ reason, untilMs, isHopeless })),
    updatedAtMs,
  }
}

export function taskView({ id, serviceId, revision, slot, nodeId, desiredState, status, ...task }: TaskRecord): LiveTask {
  return {
    id,
    serviceId,
    revision,
    slot,
    nodeId,
    containerId: status.containerId,
    desiredState,
    state: status.state,
    sinceMs: status.sinceMs,
    isReady: status.isReady,
    health: status.health ?? null,
    message: status.message,
    error: status.error,
    placement: task.placement,
    reason: task.reason ?? '',
    createdAtMs: task.createdAtMs,
  }
}
