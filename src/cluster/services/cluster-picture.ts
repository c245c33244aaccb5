import {
  prefixOf,
  type NodeRecord,
  type RevisionRecord,
  type RunRecord,
  type ServiceRecord,
  type TaskRecord,
} from '#cluster/model'

import type { Mirror } from './mirror.ts'
import type { ClusterState, RolloutSample, ServiceState } from './service-state.ts'

/** The cluster as a mirror has it, in the shape that plans are made from. Put together anew only when the mirror has changed. */
export function clusterPictures(mirror: Mirror): (nowMs: number, metrics?: ReadonlyMap<string, RolloutSample>) => ClusterState {
  let known: Pick<ClusterState, 'nodes' | 'services'> | undefined
  mirror.listen(() => (known = undefined))
  return (nowMs, metrics = NO_METRICS) => {
    known ??= readPicture(mirror)
    return { ...known, nowMs, metrics }
  }
}

const NO_METRICS: ReadonlyMap<string, RolloutSample> = new Map()

function readPicture(mirror: Mirror): Pick<ClusterState, 'nodes' | 'services'> {
  const revisions = byService(mirror.range<RevisionRecord>(prefixOf('revision')).map(({ value }) => value))
  const tasks = byService(mirror.range<TaskRecord>(prefixOf('task')).map(({ value }) => value))
  const runs = byService(mirror.range<RunRecord>(prefixOf('run')).map(({ value }) => value))
  const services = new Map<string, ServiceState>()
  for (const { value: service } of mirror.range<ServiceRecord>(prefixOf('service')))
    services.set(service.id, {
      service,
      revisions: new Map((revisions.get(service.id) ?? []).map((revision) => [revision.number, revision])),
      tasks: tasks.get(service.id) ?? [],
      runs: runs.get(service.id) ?? [],
    })
  const nodes = new Map(mirror.range<NodeRecord>(prefixOf('node')).map(({ value }) => [value.id, value]))
  return { nodes, services }
}

function byService<T extends { readonly serviceId: string }>(records: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(records, (record) => record.serviceId)
}
