import type { Mirror } from '#cluster/services'
import type { ServiceSpec } from '#cluster/spec'
import type { ContainerRecord, ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Networks } from '#engine/network'
import type { DiscoveredService, DiscoveredTask, DiscoverySource } from '#traffic/discovery'

import { followSight, lookAtCluster, recordsOf, type SeenService, type SeenTask } from './cluster-sight.ts'

export interface SourceNeeds {
  /** Of this machine. */
  readonly nodeId: string
  /** Of services and tasks. */
  readonly mirror: Pick<Mirror, 'range' | 'get' | 'listen' | 'opened'>
  readonly containers: Pick<ContainersService, 'list'>
  readonly networks: Pick<Networks, 'endpointsOf'>
  readonly events: Pick<Events, 'listen'>
}

/** Services of the cluster with their tasks. */
export function clusterAsDiscovered(needs: SourceNeeds): DiscoverySource {
  const { mirror, containers, events } = needs
  return {
    services: async () => {
      await mirror.opened
      const { services } = lookAtCluster(recordsOf(mirror), containers.list())
      return services.filter(({ spec }) => isServing(spec)).map((service) => discovered(service, needs))
    },
    listen: (changed) => {
      const sources = [
        events.listen(({ type, action }) => (matters(type, action) ? changed() : undefined)),
        followSight(mirror, changed),
      ]
      return {
        [Symbol.dispose]: () => {
          for (const one of sources) one[Symbol.dispose]()
        },
      }
    },
  }
}

/** What is meant to end is found by its containers' names. */
function isServing({ mode }: ServiceSpec): boolean {
  return mode === 'replicated' || mode === 'global'
}

function discovered(service: SeenService, needs: Pick<SourceNeeds, 'networks' | 'nodeId'>): DiscoveredService {
  const { id, owner, spec, tasks } = service
  return {
    id,
    stack: owner.application,
    name: owner.service,
    endpointMode: spec.endpointMode ?? 'vip',
    networks: service.networks.map(({ name, aliases }) => ({ name, aliases })),
    tasks: tasks.map((seen) => taskSeen(seen, needs)),
  }
}

/** What its node says of a task counts as long as the engine does not know better: of one that died here, or is not healthy any more, the engine hears first. */
function taskSeen({ task, container }: SeenTask, { networks, nodeId }: Pick<SourceNeeds, 'networks' | 'nodeId'>): DiscoveredTask {
  const { status, desiredState } = task
  const isSaidReady = status.state === 'running' && status.isReady && (desiredState === 'running' || desiredState === 'ready')
  if (container !== undefined) {
    const here = taskOf(container, networks)
    return { ...here, isReady: here.isReady && isSaidReady }
  }
  const isElsewhere = task.nodeId !== nodeId
  const addresses = Object.entries(status.addresses).map(([network, address]) => [network, address === '' ? [] : [address]])
  return {
    id: status.containerId ?? task.id,
    isRunning: isElsewhere && status.state === 'running',
    isReady: isElsewhere && isSaidReady,
    addresses: Object.fromEntries(addresses),
  }
}

function taskOf({ id, status }: ContainerRecord, networks: Pick<Networks, 'endpointsOf'>): DiscoveredTask {
  const isRunning = status.pid !== 0
  const { health } = status
  return {
    id,
    isRunning,
    isReady: status.state === 'running' && isRunning && (health === null || health.status === 'healthy'),
    addresses: Object.fromEntries(
      networks
        .endpointsOf(id)
        .map(({ networkName, ipAddress, ipv6Address }) => [
          networkName,
          [ipAddress, ipv6Address].filter((address) => address !== ''),
        ]),
    ),
  }
}

/** Changes who is ready, or where. */
function matters(type: string, action: string): boolean {
  if (type === 'network') return true
  return type === 'container' && /^(start|die|kill|pause|unpause|rename|destroy|health_status)/.test(action)
}
