import type { TaskRecord } from '#cluster/model'

import { KEPT_REVISIONS, KEPT_TASKS_PER_SLOT } from './bounds.ts'
import type { PlanWriter } from './service-plan.ts'
import { isLive, seatKey, youngestFirst, type ClusterState, type ServiceState } from './service-state.ts'

/** What is over and of no interest any more goes: of each slot the youngest ends are kept, and of revisions the youngest and all that are in use. */
export function planKeeping(state: ServiceState, cluster: ClusterState, out: PlanWriter): void {
  for (const task of state.tasks)
    if (isForgettable(task, cluster)) out.step({ type: 'forget-task', task, reason: 'nothing of it is left' })
  if (state.service.state === 'removing') return
  const ended = state.tasks.filter((task) => !isLive(task) && task.desiredState !== 'remove')
  const touched = new Set(out.steps.flatMap((step) => ('task' in step && 'id' in step.task ? [step.task.id] : [])))
  const busy = Map.groupBy(state.tasks.filter(isLive), (task) => placeKey(task))
  for (const [key, tasks] of Map.groupBy(ended, placeKey)) {
    // A job's runs are kept and forgotten by those who make them.
    const isOfRun = tasks[0]?.runId !== null && tasks[0]?.runId !== undefined
    const live = busy.get(key)?.length ?? 0
    const limit = cluster.keptTasksPerSlot === undefined ? KEPT_TASKS_PER_SLOT : Math.max(0, cluster.keptTasksPerSlot - live)
    const kept = isOfRun ? KEPT_TASKS_PER_SLOT : live > 0 ? limit : 1
    for (const task of tasks.toSorted(youngestFirst).slice(kept))
      if (!touched.has(task.id))
        out.step({ type: 'end-task', task, desiredState: 'remove', reason: 'younger ends are kept instead' })
  }
  forgetRevisions(state, out)
}

function placeKey(task: TaskRecord): string {
  return `${task.runId ?? ''} ${seatKey(task)}`
}

/** To be removed, and its node has nothing of it. */
function isForgettable(task: TaskRecord, { nodes }: ClusterState): boolean {
  if (task.desiredState !== 'remove' || isLive(task)) return false
  const { state } = task.status
  return state === 'remove' || state === 'orphaned' || task.nodeId === null || !nodes.has(task.nodeId)
}

function forgetRevisions({ service, revisions, tasks, runs }: ServiceState, out: PlanWriter): void {
  const used = new Set<number | null>([
    service.revision,
    service.previousRevision,
    service.rollout?.from ?? null,
    service.rollout?.to ?? null,
  ])
  for (const task of tasks) used.add(task.revision)
  for (const run of runs) used.add(run.revision)
  const youngest = [...revisions.keys()].toSorted((a, b) => b - a).slice(KEPT_REVISIONS)
  for (const number of youngest) {
    const revision = revisions.get(number)
    if (!used.has(number) && revision !== undefined)
      out.step({ type: 'forget-revision', revision, reason: 'younger ones are kept instead' })
  }
}
