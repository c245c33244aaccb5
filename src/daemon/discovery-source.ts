import { LABELS } from '#cluster/reconcile'
import type { ServiceSpec, StackSpec } from '#cluster/spec'
import type { Stacks } from '#cluster/stacks'
import type { ContainerRecord, ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Networks } from '#engine/network'
import type { DiscoveredService, DiscoveredTask, DiscoverySource } from '#traffic/discovery'

export interface SourceNeeds {
  readonly stacks: Pick<Stacks, 'specs' | 'listen'>
  readonly containers: Pick<ContainersService, 'list'>
  readonly networks: Pick<Networks, 'endpointsOf'>
  readonly events: Pick<Events, 'listen'>
}

/** Services of applications, and the containers of this machine that are their tasks. */
export function stacksAsDiscovered({ stacks, containers, networks, events }: SourceNeeds): DiscoverySource {
  return {
    services: async () => {
      const tasks = Map.groupBy(containers.list(), ({ spec }) =>
        serviceKey(spec.labels[LABELS.stack], spec.labels[LABELS.service]),
      )
      return await Promise.resolve(
        stacks.specs().flatMap((stack) =>
          stack.services.filter(isServing).map((service) => ({
            stack: stack.name,
            name: service.name,
            endpointMode: service.endpointMode ?? 'vip',
            networks: networksOf(stack, service),
            tasks: (tasks.get(serviceKey(stack.name, service.name)) ?? []).map((record) => taskOf(record, networks)),
          })),
        ),
      )
    },
    listen: (changed) => {
      const sources = [
        events.listen(({ type, action }) => (matters(type, action) ? changed() : undefined)),
        stacks.listen(changed),
      ]
      return {
        [Symbol.dispose]: () => {
          for (const one of sources) one[Symbol.dispose]()
        },
      }
    },
  }
}

function serviceKey(stack: string | undefined, service: string | undefined): string {
  return `${stack ?? ''}/${service ?? ''}`
}

/** What is meant to end is found by its containers' names. */
function isServing({ mode }: ServiceSpec): boolean {
  return mode === 'replicated' || mode === 'global'
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
