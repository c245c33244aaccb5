import { filesOfTask } from '#cluster/secrets'
import type { NetworkSpec, VolumeSpec } from '#cluster/spec'

import type { AssignedTask } from './assigned-task.ts'
import type { NodeNetwork, NodeTask, NodeVolume, TaskSpec } from './node-port.ts'

/** Ours. A container without them is none of our business, whatever its Compose labels say. */
export const TASK_LABELS = {
  stack: 'io.glovebox.stack',
  service: 'io.glovebox.service',
  number: 'io.glovebox.task',
  hash: 'io.glovebox.spec-hash',
  task: 'io.glovebox.task-id',
} as const

/** Those by which docker-compose and other tools recognise a project. */
const COMPOSE = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  number: 'com.docker.compose.container-number',
  oneoff: 'com.docker.compose.oneoff',
  hash: 'com.docker.compose.config-hash',
  workingDir: 'com.docker.compose.project.working_dir',
  configFiles: 'com.docker.compose.project.config_files',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
} as const

/** Those by which docker's own client recognises a service's containers. */
const SWARM = {
  task: 'com.docker.swarm.task.id',
  taskName: 'com.docker.swarm.task.name',
  service: 'com.docker.swarm.service.id',
  serviceName: 'com.docker.swarm.service.name',
  node: 'com.docker.swarm.node.id',
} as const

const SHORT_ID = 8

/** What its container is called when nobody else is: `shop-web-1`, or for a service without a stack `web.1.ID`. */
export function containerName({ task, revision, service }: AssignedTask): string {
  if (revision.spec.containerName !== null) return revision.spec.containerName
  if (service.stack === null) return `${service.name}.${task.slot ?? task.nodeId ?? 0}.${task.id}`
  return `${service.stack}-${revision.spec.name}-${task.slot ?? 1}`
}

/** With the beginning of its task's id, so that the plain name is free for another. */
export function asideName(name: string, taskId: string): string {
  return `${name}-${taskId.slice(0, SHORT_ID)}`
}

/** Finds the container of a task: by its label, or as it is written down of one that is older than the label. */
export function containersByTask(containers: readonly NodeTask[]): (assigned: AssignedTask) => NodeTask | undefined {
  const byTask = new Map<string, NodeTask>()
  const byId = new Map<string, NodeTask>()
  for (const container of containers) {
    const taskId = container.labels[TASK_LABELS.task]
    if (taskId !== undefined && !byTask.has(taskId)) byTask.set(taskId, container)
    byId.set(container.id, container)
  }
  return ({ task }) => byTask.get(task.id) ?? byId.get(task.status.containerId ?? '')
}

export function taskSpec(assigned: AssignedTask, name: string): TaskSpec {
  const { task, revision, service } = assigned
  const { spec, parts } = revision
  const { mounts, networks, ...template } = spec.task
  return {
    ...template,
    name,
    imageId: revision.imageId ?? spec.task.image,
    ...(revision.imageId === null && parts.pulls === true ? { pulls: true } : {}),
    labels: { ...template.labels, ...ownLabels(assigned) },
    mounts: mounts.map((mount) =>
      mount.type === 'volume' && mount.volume !== null ? { ...mount, volume: nameOf(parts.volumes, mount.volume) } : mount,
    ),
    networks: networks.map(({ network, aliases, ...endpoint }) => ({
      ...endpoint,
      name: nameOf(parts.networks, network),
      aliases: [...new Set([service.stack === null ? service.name : spec.name, ...aliases])],
    })),
    hostPorts: spec.ports.filter((port) => port.mode === 'host'),
    ...filesOfTask(spec, parts),
  }

  function ownLabels({ task: { slot } }: AssignedTask): Readonly<Record<string, string>> {
    const number = String(slot ?? 1)
    const ours = {
      [TASK_LABELS.task]: task.id,
      [TASK_LABELS.service]: spec.name,
      [TASK_LABELS.number]: number,
      [TASK_LABELS.hash]: revision.templateHash,
    }
    if (service.stack === null)
      return {
        ...ours,
        [SWARM.task]: task.id,
        [SWARM.taskName]: name,
        [SWARM.service]: service.id,
        [SWARM.serviceName]: service.name,
        [SWARM.node]: task.nodeId ?? '',
      }
    return {
      ...ours,
      [TASK_LABELS.stack]: service.stack,
      [COMPOSE.project]: service.stack,
      [COMPOSE.service]: spec.name,
      [COMPOSE.number]: number,
      [COMPOSE.oneoff]: 'False',
      [COMPOSE.hash]: revision.templateHash,
      [COMPOSE.workingDir]: parts.workingDir,
      [COMPOSE.configFiles]: parts.configFiles.join(','),
    }
  }
}

function nameOf(parts: readonly { readonly key: string; readonly name: string }[], key: string): string {
  return parts.find((part) => part.key === key)?.name ?? key
}

/** Networks and volumes that the task needs; those of others have to be there already. */
export function partsOf({ revision }: AssignedTask): {
  readonly networks: readonly NetworkSpec[]
  readonly volumes: readonly VolumeSpec[]
} {
  const { spec, parts } = revision
  const volumes = new Set(
    spec.task.mounts.flatMap((mount) => (mount.type === 'volume' && mount.volume !== null ? [mount.volume] : [])),
  )
  const networks = new Set(spec.task.networks.map(({ network }) => network))
  return {
    networks: parts.networks.filter(({ key }) => networks.has(key)),
    volumes: parts.volumes.filter(({ key }) => volumes.has(key)),
  }
}

export function nodeNetwork(stack: string | null, network: NetworkSpec): NodeNetwork {
  const { key, isExternal: _external, ...rest } = network
  const ours = stack === null ? {} : { [COMPOSE.project]: stack, [COMPOSE.network]: key, [TASK_LABELS.stack]: stack }
  return { ...rest, labels: { ...network.labels, ...ours } }
}

export function nodeVolume(stack: string | null, volume: VolumeSpec): NodeVolume {
  const { key, isExternal: _external, ...rest } = volume
  const ours = stack === null ? {} : { [COMPOSE.project]: stack, [COMPOSE.volume]: key, [TASK_LABELS.stack]: stack }
  return { ...rest, labels: { ...volume.labels, ...ours } }
}
