import type { RolloutRecord, ServiceRecord } from '#cluster/model'
import type { ServiceSight } from '#cluster/services'
import type { ServiceMode, ServicePortSpec } from '#cluster/spec'

/** A service as people see it in a list. */
export interface ServiceView {
  readonly id: string
  /** In the cluster: `shop_web`. */
  readonly name: string
  readonly stack: string | null
  /** As people say it: `shop/web`, or the name of one that stands alone. */
  readonly title: string
  readonly labels: Readonly<Record<string, string>>
  readonly mode: ServiceMode
  readonly image: string
  readonly imageId: string | null
  readonly revision: number
  readonly previousRevision: number | null
  /** Who asked for this revision. */
  readonly by: string
  /** `failed`: it will hardly come right by itself. `done`: of a job nothing is under way. */
  readonly state: 'ready' | 'converging' | 'failed' | 'paused' | 'removing' | 'done'
  readonly desiredTasks: number
  readonly runningTasks: number
  readonly readyTasks: number
  readonly completedTasks: number
  readonly rollout: RolloutRecord | null
  /** Why it is not as wanted; null: it is. */
  readonly why: string | null
  readonly ports: readonly ServicePortSpec[]
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

export function serviceView(sight: ServiceSight): ServiceView {
  const { record, revision } = sight
  const state = stateOf(sight)
  return {
    id: record.id,
    name: record.name,
    stack: record.stack,
    title: titleOf(record, revision.spec.name),
    labels: record.labels,
    mode: revision.spec.mode,
    image: revision.spec.task.image,
    imageId: revision.imageId,
    revision: record.revision,
    previousRevision: record.previousRevision,
    by: revision.by,
    state,
    desiredTasks: sight.desiredTasks,
    runningTasks: sight.runningTasks,
    readyTasks: sight.readyTasks,
    completedTasks: sight.completedTasks,
    rollout: record.rollout,
    why: state === 'ready' || state === 'done' ? null : (sight.waits[0]?.reason ?? jobReason(sight)),
    ports: revision.spec.ports,
    createdAtMs: record.createdAtMs,
    updatedAtMs: record.updatedAtMs,
  }
}

export function titleOf({ name, stack }: Pick<ServiceRecord, 'name' | 'stack'>, own: string): string {
  return stack === null ? name : `${stack}/${own}`
}

function stateOf(sight: ServiceSight): ServiceView['state'] {
  const { record, revision, waits } = sight
  const { rollout } = record
  if (record.state !== 'active') return record.state
  if (rollout?.state === 'paused' || waits.some(({ isHopeless }) => isHopeless)) return 'failed'
  if (rollout !== null && rollout.endedAtMs === null) return 'converging'
  if (revision.spec.job !== null) return jobState(sight)
  const isEnded = revision.spec.restart.condition !== 'always' && sight.completedTasks >= sight.desiredTasks
  if (isEnded && sight.desiredTasks > 0 && sight.runningTasks === 0) return 'done'
  const isThere = sight.readyTasks >= sight.desiredTasks && sight.runningTasks <= sight.desiredTasks
  return isThere && waits.length === 0 ? 'ready' : 'converging'
}

/** One with a schedule has its next time whatever came of the last; another one is what its run for this revision came to. */
function jobState({ record, revision, run }: ServiceSight): ServiceView['state'] {
  if (revision.spec.job?.schedule !== null && revision.spec.job !== null) return run?.state === 'running' ? 'converging' : 'ready'
  if (run === undefined || run.revision < record.revision || run.state === 'running') return 'converging'
  return run.state === 'succeeded' ? 'done' : 'failed'
}

function jobReason({ record, revision, run }: ServiceSight): string | null {
  if (revision.spec.job === null) return null
  return run === undefined || run.revision < record.revision ? 'its run has not begun yet' : run.reason || 'its run is under way'
}
