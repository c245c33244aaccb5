import type { TaskSpec } from '#cluster/agent'
import { healthWithDefaults, mergeEnv, specFromImage, type ContainerSpec } from '#engine/containers'
import type { ImageRecord } from '#engine/images'
import type { NamespaceSpec } from '#cluster/spec'

import { hookAnnotations } from './hooks.ts'

/**
 * A task as the cluster wants it, as a container of this machine. The cluster restarts tasks itself, so the engine does not. `namespaces`: those
 * of the task with the containers that it shares them with.
 */
export function containerSpec(task: TaskSpec, image: ImageRecord, namespaces: NamespaceSpec = {}): ContainerSpec {
  const base = specFromImage(image, task.image)
  return {
    ...base,
    process: processOf(task, base),
    hostname: task.hostname ?? '',
    domainname: task.domainname ?? '',
    labels: { ...base.labels, ...task.labels },
    annotations: { ...task.annotations, ...hookAnnotations(task.hooks) },
    health: healthOf(task, image),
    stopSignal: task.stopSignal ?? base.stopSignal,
    stopTimeoutS: task.stopGracePeriodMs === null ? base.stopTimeoutS : Math.ceil(task.stopGracePeriodMs / 1000),
    exposedPorts: [...new Set([...base.exposedPorts, ...task.expose])],
    mounts: mountsOf(task, base),
    network: networkOf(task, base, namespaces),
    namespaces: namespacesOf(namespaces, base),
    resources: resourcesOf(task, base),
    security: securityOf(task, base),
    hasInit: task.hasInit,
    log: task.log,
  }
}

function processOf(task: TaskSpec, { process }: ContainerSpec): ContainerSpec['process'] {
  const env = Object.entries(task.environment).map(([name, value]) => `${name}=${value}`)
  return {
    ...process,
    entrypoint: task.entrypoint ?? process.entrypoint,
    // An entrypoint of one's own makes the image's arguments meaningless.
    cmd: task.command ?? (task.entrypoint === null ? process.cmd : null),
    env: mergeEnv(process.env, env),
    workingDir: task.workingDir ?? process.workingDir,
    user: task.user ?? process.user,
    additionalGroups: task.additionalGroups,
    hasTty: task.hasTty,
    hasStdin: task.isStdinOpen,
  }
}

function healthOf(task: TaskSpec, image: ImageRecord): ContainerSpec['health'] {
  const { health } = task
  const own = image.config.healthcheck
  if (health === null) return healthWithDefaults(own)
  return healthWithDefaults({
    test: health.test ?? own?.test ?? [],
    intervalMs: health.intervalMs ?? own?.intervalMs ?? 0,
    timeoutMs: health.timeoutMs ?? own?.timeoutMs ?? 0,
    startPeriodMs: health.startPeriodMs ?? own?.startPeriodMs ?? 0,
    startIntervalMs: health.startIntervalMs ?? own?.startIntervalMs ?? 0,
    retries: health.retries ?? own?.retries ?? 0,
  })
}

/** The task's mounts, and the image's own volumes where the task mounts nothing. */
function mountsOf(task: TaskSpec, base: ContainerSpec): ContainerSpec['mounts'] {
  const mounts = task.mounts.map((mount): ContainerSpec['mounts'][number] => {
    if (mount.type === 'bind') return { ...mount, isRecursive: mount.isRecursive ?? true }
    if (mount.type === 'tmpfs') return mount
    const { volume, labels = {}, ...rest } = mount
    return { ...rest, name: volume ?? '', isAnonymous: volume === null, driver: 'local', driverOptions: {}, labels }
  })
  const taken = new Set(mounts.map((mount) => mount.target))
  return [...mounts, ...base.mounts.filter((mount) => !taken.has(mount.target))]
}

const PLAIN_ENDPOINT = { aliases: [], ipv4Address: null, ipv6Address: null, macAddress: null }

function networkOf(task: TaskSpec, { network }: ContainerSpec, namespaces: NamespaceSpec): ContainerSpec['network'] {
  const endpoints = Object.fromEntries(task.networks.map(({ name, ...options }) => [name, { ...PLAIN_ENDPOINT, ...options }]))
  const own = namespaces.network
  return {
    ...network,
    mode: own ?? task.networks[0]?.name ?? 'none',
    endpoints: own === undefined ? endpoints : own === 'bridge' ? { bridge: PLAIN_ENDPOINT } : {},
    portBindings: task.hostPorts.map((port) => ({
      containerPort: port.containerPort,
      protocol: port.protocol,
      hostIp: port.hostIp,
      hostPort: port.published === null ? null : { first: port.published, last: port.published },
    })),
    dns: task.dns,
    dnsSearch: task.dnsSearch,
    dnsOptions: task.dnsOptions,
    extraHosts: task.extraHosts,
  }
}

function resourcesOf(task: TaskSpec, { resources }: ContainerSpec): ContainerSpec['resources'] {
  const { shmBytes, reservedNanoCpus: _reserved, ...limits } = task.resources
  return { ...resources, ...limits, shmBytes: shmBytes ?? resources.shmBytes }
}

function securityOf(task: TaskSpec, { security }: ContainerSpec): ContainerSpec['security'] {
  const { isSeccompUnconfined, isSystemPathsUnconfined, seccompProfile, ...rest } = task.security
  return {
    ...security,
    ...rest,
    seccomp: isSeccompUnconfined ? 'unconfined' : (seccompProfile ?? 'default'),
    devices: task.devices ?? [],
    deviceCgroupRules: task.deviceCgroupRules ?? [],
    ...(isSystemPathsUnconfined ? { maskedPaths: [], readonlyPaths: [] } : {}),
  }
}

function namespacesOf(namespaces: NamespaceSpec, base: ContainerSpec): ContainerSpec['namespaces'] {
  const { pid = '', ipc = base.namespaces.ipc, uts = '', cgroup = base.namespaces.cgroup, user } = namespaces
  return { ...base.namespaces, pid, ipc, uts, cgroup, ...(user === undefined ? {} : { user }) }
}
