import { type Clock, isKind, type Log, messageOf } from '#base'
import { agentError, type NodePort, type NodeTask, type TaskSpec } from '#cluster/agent'
import { mountsOfFiles, type Secrets, versionsOfFiles } from '#cluster/secrets'
import type { ContainerRecord, ContainersService } from '#engine/containers'
import type { Events } from '#engine/events'
import type { Images } from '#engine/images'
import type { Networks } from '#engine/network'
import type { Volumes } from '#engine/volumes'

import { containerSpec } from './container-spec.ts'
import { runPostStart, runPreStop } from './hooks.ts'
import { lostPartner, withPartners } from './shared-namespaces.ts'

interface Engine {
  readonly containers: ContainersService
  readonly images: Images
  readonly networks: Networks
  readonly volumes: Volumes
  readonly events: Events
}

interface Surroundings {
  readonly clock: Clock
  readonly secrets: Pick<Secrets, 'files'>
  readonly log: Log
  /** Fetches an image. */
  readonly pull: (ref: string, signal?: AbortSignal) => Promise<void>
}

/** What a restart of the machine took from memory. */
async function restoreFiles(containers: ContainersService, secrets: Pick<Secrets, 'files'>, id: string): Promise<void> {
  if (containers.hasMemoryFiles(id)) return
  const { memoryFiles = [] } = containers.get(id).spec
  await containers.provideMemoryFiles(id, await secrets.files(mountsOfFiles(memoryFiles), null, versionsOfFiles(memoryFiles)))
}

/** This machine as a node of the cluster. */
export function engineNode(
  { containers, images, networks, volumes, events }: Engine,
  { clock, log, secrets, pull }: Surroundings,
): NodePort {
  return {
    listTasks: async () => {
      const records = containers.list()
      const startedAtMs = startsOf(records)
      return await Promise.resolve(
        records.map((record) => {
          const task = taskOf(record, startedAtMs)
          return containers.isBeingRestarted(record.id) ? { ...task, state: 'restarting' as const } : task
        }),
      )
    },
    listNetworks: async () => await Promise.resolve(networks.list().map((network) => network.name)),
    listVolumes: async () => await Promise.resolve(volumes.list().map((volume) => volume.name)),
    createTask: async (task, signal) => {
      if (task.pulls === true) await ensureImage(task, images, async (ref) => await pull(ref, signal))
      const namespaces = withPartners(task.namespaces ?? {}, task.labels, containers.list())
      const files = task.files === undefined ? [] : await secrets.files(task.files.mounts, task.files.stack, task.files.versions)
      const { id } = await containers.create(containerSpec(task, images.get(task.imageId), namespaces), task.name, files)
      return id
    },
    renameTask: async (id, name) => await ifThere(async () => await containers.rename(id, name)),
    startTask: async (id) => {
      await restoreFiles(containers, secrets, id)
      if (await containers.start(id)) await runPostStart(containers, id, clock)
    },
    stopTask: async (id) =>
      await ifThere(async () => {
        await runPreStop(containers, id, clock, (message) => log.warn('before the end of a task', { task: id, error: message }))
        await containers.stop(id, { signal: null, timeoutS: null })
      }),
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

/** Clients look for the first words; what the registry said helps who reads on. */
async function ensureImage({ image }: TaskSpec, images: Images, pull: (ref: string) => Promise<void>): Promise<void> {
  if (images.find(image) !== undefined) return
  await pull(image).catch((error: unknown) => {
    throw agentError('task.image_missing', `No such image: ${image}: ${messageOf(error)}`, { cause: error })
  })
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

/** When those that run began. */
function startsOf(records: readonly ContainerRecord[]): (id: string) => number | undefined {
  const running = records.filter(({ status }) => status.state === 'running')
  const starts = new Map<string, number>(running.map(({ id, status }) => [id, Date.parse(status.startedAt)]))
  return (id) => starts.get(id)
}

/** One that has lost what it shares is of no use: another task takes its place, beside the container that there is now. */
function taskOf({ id, name, spec, status }: ContainerRecord, startedAtMs: (id: string) => number | undefined): NodeTask {
  const { health } = status
  const lost = status.state === 'running' ? lostPartner({ spec, status }, startedAtMs) : undefined
  return {
    id,
    name,
    labels: spec.labels,
    state: status.state,
    exitCode: status.exitCode,
    error: status.error,
    ...(lost === undefined ? {} : { lost }),
    isOomKilled: status.isOomKilled,
    startedAtMs: status.startedAt === '' ? null : Date.parse(status.startedAt),
    finishedAtMs: status.finishedAt === '' ? null : Date.parse(status.finishedAt),
    health: health === null ? 'none' : health.status,
    healthOutput: health?.log.at(-1)?.output ?? '',
    addresses: Object.fromEntries(Object.entries(status.endpoints).map(([network, endpoint]) => [network, endpoint.ipAddress])),
  }
}
