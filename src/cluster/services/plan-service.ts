import { isAtLeast } from '#cluster/model'

import { ORPHAN_AFTER_MS } from './bounds.ts'
import { planKeeping } from './plan-keeping.ts'
import { planRuns } from './plan-runs.ts'
import { planTasks } from './plan-tasks.ts'
import { planWriter, type PlanWriter, type ServicePlan } from './service-plan.ts'
import { isLive, isStaying, targetOf, type ClusterState, type ServiceState } from './service-state.ts'

/**
 * From what is wanted of a service and what is there to what is to be written next. Pure. What is wanted and there plans nothing; plan after plan leads there.
 */
export function planService(state: ServiceState, cluster: ClusterState): ServicePlan {
  const out = planWriter(state.service.id)
  planOrphans(state, cluster, out)
  // Those are gone for the next plan.
  if (out.steps.length > 0) return out.plan()
  if (state.service.state === 'removing') planRemoval(state, cluster, out)
  else if (targetOf(state)?.spec.job !== null && targetOf(state) !== undefined) planRuns(state, cluster, out)
  else planTasks(state, cluster, out)
  planKeeping(state, cluster, out)
  return out.plan()
}

/** Tasks on nodes that are away for long, but for those whose data is only there. */
function planOrphans(state: ServiceState, { nodes, nowMs }: ClusterState, out: PlanWriter): void {
  for (const task of state.tasks) {
    if (!isLive(task)) continue
    if (!isStaying(task) && !isAtLeast(task.status.state, 'assigned')) {
      out.step({ type: 'close-task', task, reason: task.reason ?? 'it is not wanted any more' })
      continue
    }
    if (task.nodeId === null) continue
    const node = nodes.get(task.nodeId)
    if (node === undefined) {
      out.step({ type: 'orphan-task', task, reason: `its node ${task.nodeId} is forgotten` })
      continue
    }
    if (node.status.state !== 'down') continue
    const label = `its node ${node.description.hostname} is down`
    if (isPinned(state, task.revision)) {
      out.wait(`${label}, and its data is only there`, { taskId: task.id, isHopeless: true })
      continue
    }
    const atMs = node.status.sinceMs + ORPHAN_AFTER_MS
    if (atMs <= nowMs) out.step({ type: 'orphan-task', task, reason: label })
    else out.wait(`${label}; it is placed elsewhere when that lasts`, { taskId: task.id, untilMs: atMs })
  }
}

function isPinned({ revisions }: ServiceState, revision: number): boolean {
  const mounts = revisions.get(revision)?.spec.task.mounts ?? []
  return mounts.some((mount) => (mount.type === 'volume' && mount.volume !== null) || mount.type === 'bind')
}

/** Those that others depend on last. */
function planRemoval(state: ServiceState, cluster: ClusterState, out: PlanWriter): void {
  const { stack } = state.service
  const name = targetOf(state)?.spec.name
  const needs = [...cluster.services.values()].find(
    (other) =>
      stack !== null &&
      other.service.stack === stack &&
      other.service.id !== state.service.id &&
      other.service.state === 'removing' &&
      other.tasks.some(isLive) &&
      targetOf(other)?.spec.dependsOn.some((dependency) => dependency.service === name) === true &&
      targetOf(state)?.spec.dependsOn.some((dependency) => dependency.service === targetOf(other)?.spec.name) !== true,
  )
  if (needs !== undefined) return out.wait(`waits until service ${needs.service.name} is gone, which needs it`)
  for (const task of state.tasks)
    if (task.desiredState !== 'remove')
      out.step({ type: 'end-task', task, desiredState: 'remove', reason: 'the service is removed' })
  if (state.tasks.length > 0) return out.wait('its tasks are being removed')
  out.step({ type: 'forget-service', reason: 'nothing of it is left' })
}
