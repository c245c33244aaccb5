import { TASK_LABELS as LABELS } from '#cluster/agent'
import type { Mirror } from '#cluster/services'
import type { ServiceSpec, StackSpec } from '#cluster/spec'
import type { Stacks } from '#cluster/stacks'
import type { ContainerRecord, ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Networks } from '#engine/network'
import type { DiscoveredService, DiscoveredTask, DiscoverySource } from '#traffic/discovery'

import { isSeen, lookAtCluster, recordsOf, type SeenService, type SeenTask } from './cluster-sight.ts'

export interface SourceNeeds {
  readonly stacks: Pick<Stacks, 'specs' | 'listen'>
  /** Of this machine. */
  readonly nodeId: string
  /** Of services and tasks. */
  readonly mirror: Pick<Mirror, 'range' | 'get' | 'listen' | 'opened'>
  readonly containers: Pick<ContainersService, 'list'>
  readonly networks: Pick<Networks, 'endpointsOf'>
  readonly events: Pick<Events, 'listen'>
}

/** Services of the cluster with their tasks, and those of applications that the cluster does not know as services. */
export function clusterAsDiscovered(needs: SourceNeeds): DiscoverySource {
  const { stacks, mirror, containers, networks, events } = needs
  return {
    services: async () => {
      await mirror.opened
      const here = containers.list()
      const sight = lookAtCluster(recordsOf(mirror), here)
      const seen = sight.services.filter(({ spec }) => isServing(spec)).map((service) => discovered(service, needs))
      const known = new Set(seen.map(({ stack, name }) => serviceKey(stack ?? undefined, name)))
      const others = stacks.specs().flatMap((stack) => servicesOfStack(stack, here, networks))
      return [...seen, ...others.filter(({ stack, name }) => !known.has(serviceKey(stack ?? undefined, name)))]
    },
    listen: (changed) => {
      const sources = [
        events.listen(({ type, action }) => (matters(type, action) ? changed() : undefined)),
        stacks.listen(changed),
        mirror.listen(({ changes }) => (changes.length === 0 || changes.some(({ key }) => isSeen(key)) ? changed() : undefined)),
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

function servicesOfStack(
  stack: StackSpec,
  containers: readonly ContainerRecord[],
  networks: Pick<Networks, 'endpointsOf'>,
): readonly DiscoveredService[] {
  const tasks = Map.groupBy(containers, ({ spec }) => serviceKey(spec.labels[LABELS.stack], spec.labels[LABELS.service]))
  return stack.services.filter(isServing).map((service) => ({
    stack: stack.name,
    name: service.name,
    endpointMode: service.endpointMode ?? 'vip',
    networks: networksOf(stack, service),
    tasks: (tasks.get(serviceKey(stack.name, service.name)) ?? []).map((record) => taskOf(record, networks)),
  }))
}

function serviceKey(stack: string | undefined, service: string | undefined): string {
  return `${stack ?? ''}/${service ?? ''}`
}

function networksOf(stack: StackSpec, service: ServiceSpec): DiscoveredService['networks'] {
  return service.task.networks.flatMap(({ network, aliases }) => {
    const name = stack.networks.find(({ key }) => key === network)?.name
    return name === undefined ? [] : [{ name, aliases }]
  })
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
