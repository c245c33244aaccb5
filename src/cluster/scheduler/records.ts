import type { NodeRecord, RevisionRecord, ServiceRecord, TaskRecord } from '#cluster/model'

import type { SchedulableNode, TaskGroup } from './port.ts'

/** A node as the scheduler sees it. `volumes`: those that tasks made there. */
export function schedulableOf(record: NodeRecord, volumes: readonly string[]): SchedulableNode {
  const { description, status } = record
  return {
    id: record.id,
    isReady: status.state === 'ready',
    availability: record.availability,
    hostname: description.hostname,
    role: record.role,
    platform: description.platform,
    labels: record.labels,
    engineLabels: description.engineLabels,
    address: status.address,
    nanoCpus: description.nanoCpus,
    memoryBytes: description.memoryBytes,
    volumes: [...new Set([...(description.volumes ?? []), ...volumes])].toSorted(),
  }
}

/** What tasks of a revision need. Only what is reserved is set aside: limits may add up to more than a node has. */
export function groupOf(service: ServiceRecord, { number, spec, parts }: RevisionRecord): TaskGroup {
  const { placement, task } = spec
  return {
    serviceId: service.id,
    serviceName: service.name,
    revision: number,
    priority: placement.priority,
    nanoCpus: task.resources.reservedNanoCpus ?? 0,
    memoryBytes: task.resources.memoryReservationBytes ?? 0,
    constraints: placement.constraints,
    platforms: placement.platforms,
    spread: placement.preferences.map((preference) => preference.spread),
    affinities: placement.affinities.map((rule) => ({ ...rule, service: wholeName(service, rule.service) })),
    maxPerNode: placement.maxReplicasPerNode,
    hostPorts: spec.ports
      .filter((port) => port.mode === 'host')
      .map(({ protocol, published, hostIp }) => ({ protocol, published, hostIp })),
    volumes: task.mounts.flatMap((mount) => {
      if (mount.type !== 'volume' || mount.volume === null) return []
      const { volume } = mount
      return [parts.volumes.find(({ key }) => key === volume)?.name ?? volume]
    }),
  }
}

/** It is on a node, or on its way there, and what it holds is not free yet. */
export function isStanding({ status, nodeId }: TaskRecord): boolean {
  return nodeId !== null && HOLDING.has(status.state)
}

export function isWaiting({ status, desiredState }: TaskRecord): boolean {
  return (status.state === 'new' || status.state === 'pending') && (desiredState === 'ready' || desiredState === 'running')
}

/** It does what it is there for, and is to go on. */
export function isServing({ status, desiredState }: TaskRecord): boolean {
  return status.state === 'running' && desiredState === 'running'
}

export function isLeaving({ desiredState }: TaskRecord): boolean {
  return desiredState === 'shutdown' || desiredState === 'remove'
}

const HOLDING: ReadonlySet<TaskRecord['status']['state']> = new Set([
  'assigned',
  'accepted',
  'preparing',
  'ready',
  'starting',
  'running',
])

/** `db` of the same stack, or `shop/db`, as the service is called in the cluster. */
function wholeName(service: ServiceRecord, name: string): string {
  if (name.includes('/')) return name.replace('/', '_')
  return service.stack === null || name === service.name ? name : `${service.stack}_${name}`
}
