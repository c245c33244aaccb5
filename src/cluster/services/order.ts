import type { RolloutSpec, ServiceSpec } from '#cluster/spec'

import { targetOf, type ClusterState, type ServiceState } from './service-state.ts'

/** Whether a new task comes before the old one goes, or after. */
export function orderOf(state: ServiceState, cluster: ClusterState, rollout: RolloutSpec): 'start-first' | 'stop-first' {
  if (rollout.order !== 'auto') return rollout.order
  const spec = targetOf(state)?.spec
  return spec === undefined || isExclusive(state, spec, cluster) ? 'stop-first' : 'start-first'
}

/** Two tasks of it must not run at once: they would share a name, a host port, one writer's files, or a job. */
export function isExclusive(state: ServiceState, spec: ServiceSpec, cluster: ClusterState): boolean {
  return (
    writesAlone(state, spec) ||
    spec.containerName !== null ||
    hasHostPort(spec) ||
    isAwaited(state, spec, cluster) ||
    spec.restart.condition === 'never'
  )
}

function writesAlone({ service }: ServiceState, spec: ServiceSpec): boolean {
  const writes = spec.task.mounts.some(
    (mount) => mount.type !== 'tmpfs' && !mount.isReadOnly && !(mount.type === 'volume' && mount.volume === null),
  )
  return writes && (spec.mode === 'global' || service.replicas === 1)
}

function hasHostPort(spec: ServiceSpec): boolean {
  return spec.ports.some((port) => port.mode === 'host' && port.published !== null)
}

/** Others wait for it to end. */
function isAwaited({ service }: ServiceState, spec: ServiceSpec, { services }: ClusterState): boolean {
  if (service.stack === null) return false
  return [...services.values()].some(
    (other) =>
      other.service.stack === service.stack &&
      targetOf(other)?.spec.dependsOn.some(
        (dependency) => dependency.service === spec.name && dependency.condition === 'completed_successfully',
      ) === true,
  )
}
