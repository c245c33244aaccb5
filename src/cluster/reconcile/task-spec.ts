import { createHash } from 'node:crypto'

import { invariant } from '#base'

import { filesOfTask } from '#cluster/secrets'
import type { NetworkSpec, ServiceSpec, StackSpec, VolumeSpec } from '#cluster/spec'
import type { NodeNetwork, NodeVolume, TaskSpec } from './node-port.ts'
import type { StackRecord } from './stack-record.ts'

/** Ours. A container without the first is none of our business, whatever its Compose labels say. */
export const LABELS = {
  stack: 'io.glovebox.stack',
  service: 'io.glovebox.service',
  number: 'io.glovebox.task',
  hash: 'io.glovebox.spec-hash',
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

/** Changes exactly when tasks of the service have to be replaced. */
export function taskHash(record: StackRecord, service: ServiceSpec): string {
  const networks = service.task.networks.map((attachment) => networkOf(record.spec, attachment.network).name)
  const volumes = service.task.mounts.map((mount) =>
    mount.type === 'volume' && mount.volume !== null ? volumeOf(record.spec, mount.volume).name : null,
  )
  const hostPorts = service.ports.filter((port) => port.mode === 'host')
  const parts = [service.task, record.images[service.name] ?? null, networks, volumes, hostPorts, service.containerName]
  return createHash('sha256').update(canonical(parts)).digest('hex')
}

/** JSON with the keys in order, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}

function taskName(record: StackRecord, service: ServiceSpec, number: number): string {
  return service.containerName ?? `${record.spec.name}-${service.name}-${number}`
}

export function taskSpec(record: StackRecord, service: ServiceSpec, number: number, imageId: string): TaskSpec {
  const { spec } = record
  const hash = taskHash(record, service)
  const { mounts, networks, ...template } = service.task
  return {
    ...template,
    name: taskName(record, service, number),
    imageId,
    labels: {
      ...template.labels,
      [COMPOSE.project]: spec.name,
      [COMPOSE.service]: service.name,
      [COMPOSE.number]: String(number),
      [COMPOSE.oneoff]: 'False',
      [COMPOSE.hash]: hash,
      [COMPOSE.workingDir]: spec.workingDir,
      [COMPOSE.configFiles]: spec.configFiles.join(','),
      [LABELS.stack]: spec.name,
      [LABELS.service]: service.name,
      [LABELS.number]: String(number),
      [LABELS.hash]: hash,
    },
    mounts: mounts.map((mount) =>
      mount.type === 'volume' && mount.volume !== null ? { ...mount, volume: volumeOf(spec, mount.volume).name } : mount,
    ),
    networks: networks.map(({ network, aliases, ...options }) => ({
      ...options,
      name: networkOf(spec, network).name,
      aliases: [...new Set([service.name, ...aliases])],
    })),
    hostPorts: service.ports.filter((port) => port.mode === 'host'),
    ...filesOfTask(service, spec),
  }
}

export function nodeNetwork(stack: StackSpec, network: NetworkSpec): NodeNetwork {
  const { key, isExternal: _external, ...rest } = network
  const labels = { ...network.labels, [COMPOSE.project]: stack.name, [COMPOSE.network]: key, [LABELS.stack]: stack.name }
  return { ...rest, labels }
}

export function nodeVolume(stack: StackSpec, volume: VolumeSpec): NodeVolume {
  const { key, name, driverOptions } = volume
  const labels = { ...volume.labels, [COMPOSE.project]: stack.name, [COMPOSE.volume]: key, [LABELS.stack]: stack.name }
  return { name, driverOptions, labels }
}

export function networkOf(stack: StackSpec, key: string): NetworkSpec {
  const network = stack.networks.find((candidate) => candidate.key === key)
  invariant(network !== undefined, `the stack ${stack.name} has the network ${key}`)
  return network
}

export function volumeOf(stack: StackSpec, key: string): VolumeSpec {
  const volume = stack.volumes.find((candidate) => candidate.key === key)
  invariant(volume !== undefined, `the stack ${stack.name} has the volume ${key}`)
  return volume
}
