import {
  keyOf,
  prefixOf,
  type NodeRecord,
  type RevisionRecord,
  type RunRecord,
  type ScheduleRecord,
  type ServiceRecord,
  type TaskRecord,
} from '#cluster/model'
import { eligibleNodes, groupOf, schedulableOf, type ClusterPicture } from '#cluster/scheduler'

import type { RunSight } from './judge-run.ts'
import type { JobState } from './plan.ts'

/** Everything that stands in the records of one job. Undefined: it is none, and never was. */
export function jobStateOf(picture: ClusterPicture, serviceId: string, tasks: readonly TaskRecord[]): JobState | undefined {
  const service = picture.get<ServiceRecord>(keyOf('service', serviceId))?.value
  const revision =
    service === undefined ? undefined : picture.get<RevisionRecord>(keyOf('revision', serviceId, service.revision))?.value
  const schedule = picture.get<ScheduleRecord>(keyOf('schedule', serviceId))?.value ?? null
  const runs = picture.range<RunRecord>(prefixOf('run', serviceId)).map(({ value }) => value)
  // A service whose revision is not there yet is looked at when it is.
  if (service !== undefined && revision === undefined) return undefined
  const job = revision?.spec.job ?? null
  if (job === null && schedule === null && runs.length === 0) return undefined
  const byRun = Map.groupBy(tasks, (task) => task.runId)
  return {
    serviceId,
    revision: service?.revision ?? 0,
    job,
    state: service?.state ?? 'removing',
    schedule,
    runs: runs.map((run) => sightOf(picture, service, run, byRun.get(run.id) ?? [])),
  }
}

function sightOf(
  picture: ClusterPicture,
  service: ServiceRecord | undefined,
  run: RunRecord,
  tasks: readonly TaskRecord[],
): RunSight {
  const revision = picture.get<RevisionRecord>(keyOf('revision', run.serviceId, run.revision))?.value
  const mode = revision?.spec.mode ?? 'replicated-job'
  const isGlobal = mode === 'global-job' && service !== undefined && revision !== undefined && run.state === 'running'
  return {
    run,
    job: revision?.spec.job ?? null,
    mode,
    tasks,
    nodes: isGlobal
      ? eligibleNodes(
          groupOf(service, revision),
          picture.range<NodeRecord>(prefixOf('node')).map(({ value }) => schedulableOf(value, [])),
        ).map(({ id }) => id)
      : [],
  }
}
