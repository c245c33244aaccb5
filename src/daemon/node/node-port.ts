import { isKind } from '#base'
import type { NodePort, NodeTask } from '#cluster/reconcile'
import type { ContainerRecord, ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Images } from '#engine/images'
import type { Networks } from '#engine/network'
import type { Volumes } from '#engine/volumes'

import { containerSpec } from './container-spec.ts'

interface Engine {
  readonly containers: ContainersService
  readonly images: Images
  readonly networks: Networks
  readonly volumes: Volumes
  readonly events: Events
}

/** This machine as a node of the cluster. */
export function engineNode({ containers, images, networks, volumes, events }: Engine): NodePort {
  return {
    listTasks: async () => await Promise.resolve(containers.list().map(taskOf)),
    listNetworks: async () => await Promise.resolve(networks.list().map((network) => network.name)),
    listVolumes: async () => await Promise.resolve(volumes.list().map((volume) => volume.name)),
    createTask: async (task) => {
      const { id } = await containers.create(containerSpec(task, images.get(task.imageId)), task.name)
      return id
    },
    renameTask: async (id, name) => await ifThere(async () => void (await containers.rename(id, name))),
    startTask: async (id) => void (await containers.start(id)),
    stopTask: async (id) => await ifThere(async () => void (await containers.stop(id, { signal: null, timeoutS: null }))),
    removeTask: async (id) => await ifThere(async () => await containers.remove(id, { force: true, volumes: true })),
    ensureNetwork: async (network) => {
      if (networks.find(network.name) !== undefined) return
      networks.create({
        name: network.name,
        isInternal: network.isInternal,
        isAttachable: network.isAttachable ?? true,
        subnets: network.subnets.map(({ gateway, ...rest }) => (gateway === null ? rest : { ...rest, gateway })),
        labels: network.labels,
        ...(network.driver === undefined ? {} : { driver: network.driver }),
        ...(network.options === undefined ? {} : { options: network.options }),
        ...(network.hasIpv4 === undefined ? {} : { hasIpv4: network.hasIpv4 }),
        ...(network.hasIpv6 === undefined ? {} : { hasIpv6: network.hasIpv6 }),
      })
      await Promise.resolve()
    },
    removeNetwork: async (name) => await ifThere(async () => void (await networks.remove(name))),
    ensureVolume: async (volume) =>
      void (await volumes.create({
        name: volume.name,
        driver: 'local',
        driverOptions: volume.driverOptions,
        labels: volume.labels,
        isAnonymous: false,
      })),
    removeVolume: async (name) => await volumes.remove(name, { force: true }),
    resolveImage: async (reference) => await Promise.resolve(images.find(reference)?.id),
    events: (changed) => events.listen((event) => (isPassing(event.action) ? undefined : changed())),
  }
}

/** Changes no task. A busy health check or script would otherwise have every stack looked at three times for each exec. */
function isPassing(action: string): boolean {
  return /^(exec_|top$|resize$|attach$|detach$)/.test(action)
}

async function ifThere(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error
  }
}

function taskOf({ id, name, spec, status }: ContainerRecord): NodeTask {
  const { health } = status
  return {
    id,
    name,
    labels: spec.labels,
    state: status.state,
    exitCode: status.exitCode,
    error: status.error,
    isOomKilled: status.isOomKilled,
    startedAtMs: status.startedAt === '' ? null : Date.parse(status.startedAt),
    finishedAtMs: status.finishedAt === '' ? null : Date.parse(status.finishedAt),
    health: health === null ? 'none' : health.status,
    healthOutput: health?.log.at(-1)?.output ?? '',
    addresses: Object.fromEntries(Object.entries(status.endpoints).map(([network, endpoint]) => [network, endpoint.ipAddress])),
  }
}
