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

/** The cluster as a mirror has it, in the shape that plans are made from. */
export function clusterPicture(mirror: Mirror, nowMs: number, metrics: ReadonlyMap<string, RolloutSample>): ClusterState {
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
  return { nowMs, nodes, services, metrics }
}

function byService<T extends { readonly serviceId: string }>(records: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(records, (record) => record.serviceId)
}
