import type { RevisionRecord } from '#cluster/model'

import { wantsNode } from './node-fit.ts'
import type { ServiceSight, Wait } from './port.ts'
import { isReadyTask, isRunning, isStaying, type ClusterState, type ServiceState } from './service-state.ts'

/** What a service is to others: its record, its revisions and how far its tasks are. */
export function sightOf(
  state: ServiceState,
  cluster: ClusterState,
  version: number,
  waits: readonly Wait[],
  plannedVersion?: number,
): ServiceSight | undefined {
  const { service, revisions, tasks } = state
  const revision = revisions.get(service.revision)
  if (revision === undefined) return undefined
  const run = state.runs.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0]
  const ofRun = tasks.filter((task) => run !== undefined && task.runId === run.id)
  return {
    record: service,
    version,
    revision,
    previous: service.previousRevision === null ? null : (revisions.get(service.previousRevision) ?? null),
    desiredTasks: desiredTasks(state, cluster, revision),
    runningTasks: tasks.filter(isRunning).length,
    readyTasks: tasks.filter((task) => isReadyTask(task) && revisions.get(task.revision)?.templateHash === revision.templateHash)
      .length,
    completedTasks: (run === undefined ? tasks.filter(isStaying) : ofRun).filter((task) => task.status.state === 'complete')
      .length,
    waits: waits.toSorted((a, b) => Number(b.isHopeless) - Number(a.isHopeless)),
    ...(run === undefined ? {} : { run }),
    ...(plannedVersion === undefined ? {} : { plannedVersion }),
  }
}

function desiredTasks({ service, runs }: ServiceState, { nodes }: ClusterState, revision: RevisionRecord): number {
  if (service.state === 'removing') return 0
  const { spec } = revision
  const isByNode = spec.mode === 'global' || spec.mode === 'global-job'
  const fitting = isByNode ? [...nodes.values()].filter(wantsNode(service, revision)).length : 0
  const running = runs.filter((run) => run.state === 'running').length
  switch (spec.mode) {
    case 'replicated':
      return service.replicas
    case 'global':
      return fitting
    case 'replicated-job':
      return running * (spec.job?.completions ?? 0)
    case 'global-job':
      return running * fitting
  }
}
