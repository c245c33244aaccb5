import type { RolloutSpec, ServiceSpec } from '#cluster/spec'

import { targetOf, type ClusterState, type ServiceState } from './service-state.ts'

/** Whether a new task comes before the old one goes, or after. */
export function orderOf(state: ServiceState, cluster: ClusterState, rollout: RolloutSpec): 'start-first' | 'stop-first' {
  if (rollout.order !== 'auto') return rollout.order
  const spec = targetOf(state)?.spec
  return spec === undefined || isExclusive(state, spec, cluster) ? 'stop-first' : 'start-first'
}

/** Two tasks of it must not run at once: they would share a name, an address, a host port, one writer's files, or a job. */
export function isExclusive(state: ServiceState, spec: ServiceSpec, cluster: ClusterState): boolean {
  return whyExclusive(spec, { replicas: state.service.replicas, isAwaited: isAwaited(state, spec, cluster) }) !== null
}

/** Why two tasks of it must not run at once, for people; null: they may. */
export function whyExclusive(
  spec: ServiceSpec,
  { replicas, isAwaited: isJob }: { readonly replicas: number; readonly isAwaited: boolean },
): string | null {
  const written = spec.mode === 'global' || replicas === 1 ? writtenPlace(spec) : undefined
  if (written !== undefined) return `one task at a time writes to ${written}`
  if (spec.containerName !== null) return `its container is to be called ${spec.containerName}`
  const port = spec.ports.find(({ mode, published }) => mode === 'host' && published !== null)
  if (port !== undefined) return `it has the port ${port.published} of its node`
  const address = ownAddress(spec)
  if (address !== undefined) return `it has the address ${address}`
  if (isJob) return 'others wait for it to end'
  return spec.restart.condition === 'never' ? 'it is not to be started again' : null
}

function writtenPlace({ task }: ServiceSpec): string | undefined {
  for (const mount of task.mounts) {
    if (mount.type === 'tmpfs' || mount.isReadOnly) continue
    if (mount.type === 'bind') return mount.source
    if (mount.volume !== null) return `the volume ${mount.volume}`
  }
  return undefined
}

function ownAddress({ task }: ServiceSpec): string | undefined {
  const fixed = task.networks.flatMap(({ ipv4Address, ipv6Address, macAddress }) => [ipv4Address, ipv6Address, macAddress])
  return fixed.find((address) => address !== undefined && address !== null)
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
