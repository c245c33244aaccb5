import type { Anatomy, AnatomyPort } from '#api/glovebox'
import { cgroupPathOf, homeOf, logPathOf, runDirOf, type ContainerRecord, type ContainersService } from '#engine/containers'
import type { Images } from '#engine/images'
import type { Snapshots } from '#engine/snapshots'
import type { Host, ProcessNamespaces } from '#host'

export interface AnatomyNeeds {
  readonly root: string
  readonly runDir: string
  readonly instance: string
  readonly host: Host
  readonly containers: ContainersService
  readonly images: Images
  readonly snapshots: Snapshots
}

/** One page on what a container is: its process, its tarballs, its cgroup, its namespaces. Read from the kernel at the moment of asking. */
export function anatomyPort(needs: AnatomyNeeds): AnatomyPort {
  return {
    anatomy: async (ref) => {
      const record = needs.containers.get(ref)
      return {
        id: record.id,
        name: record.name,
        state: record.status.state,
        image: { reference: record.spec.image, id: record.spec.imageId },
        process: processOf(needs, record),
        layers: layersOf(needs, record),
        snapshotDriver: needs.snapshots.kind === 'erofs' ? 'erofs' : 'directories',
        writableBytes: await needs.snapshots.usage(record.id).catch(() => null),
        cgroup: cgroupOf(needs, record),
        namespaces: namespacesOf(needs, record),
        mounts: record.mounts.map(({ type, name, source, target, isReadOnly }) => ({
          type,
          source: name === '' ? source : name,
          target,
          isReadOnly,
        })),
        network: networkOf(record),
        files: filesOf(needs, record),
      }
    },
  }
}

function processOf(needs: AnatomyNeeds, { status, spec, id }: ContainerRecord): Anatomy['process'] {
  const { host } = needs
  const [details] = status.pid === 0 ? [] : host.processes.details([status.pid])
  if (details === undefined) return null
  return {
    hostPid: details.pid,
    insidePid: details.namespacePid,
    user: spec.process.user === '' ? 'root' : spec.process.user,
    uid: details.uid,
    command: details.commandLine,
    startedAtMs: details.startedAtMs,
    threads: details.threads,
    rssBytes: details.rssBytes,
    cpuSeconds: details.cpuMs / 1000,
    processes: host.cgroups.pids(cgroupPathOf(needs, id, spec.resources.cgroupParent)).length,
  }
}

function layersOf({ images, snapshots }: AnatomyNeeds, { spec }: ContainerRecord): Anatomy['layers'] {
  const image = images.find(spec.imageId)
  if (image === undefined) return []
  const steps = image.history.filter((step) => !step.isEmptyLayer)
  const all = images.list()
  return image.layers.map(({ diffId, sizeBytes }, index) => ({
    diffId,
    sizeBytes,
    createdBy: steps[index]?.createdBy ?? '',
    entries: snapshots.layer(diffId)?.entries ?? null,
    sharedWith: all.filter((other) => other.id !== image.id && other.layers.some((layer) => layer.diffId === diffId)).length,
  }))
}

const NANO = 1e9

function cgroupOf(needs: AnatomyNeeds, { id, spec, status }: ContainerRecord): Anatomy['cgroup'] {
  const path = cgroupPathOf(needs, id, spec.resources.cgroupParent)
  const usage = status.pid === 0 ? undefined : needs.host.cgroups.usage(path)
  if (usage === undefined) return null
  const { resources } = spec
  const cpuLimit = resources.nanoCpus === null ? null : resources.nanoCpus / NANO
  return {
    path,
    memoryUsageBytes: usage.memoryBytes ?? 0,
    memoryLimitBytes: usage.memoryLimitBytes ?? null,
    memoryPeakBytes: usage.memoryPeakBytes ?? null,
    cpuLimit,
    cpuShares: resources.cpuShares,
    cpuSeconds: (usage.cpuNs ?? 0) / NANO,
    throttledSeconds: usage.throttledNs / NANO,
    pids: usage.pids ?? 0,
    pidsLimit: usage.pidsLimit ?? null,
    oomKills: usage.oomKills,
  }
}

const TYPES = ['pid', 'mnt', 'net', 'uts', 'ipc', 'user', 'cgroup'] as const

function namespacesOf({ host, containers }: AnatomyNeeds, record: ContainerRecord): Anatomy['namespaces'] {
  const own = record.status.pid === 0 ? undefined : host.namespaces.read(record.status.pid)
  // The daemon shares all of the host's namespaces but the mount namespace.
  const hosts = host.namespaces.read(process.pid)
  if (own === undefined) return []
  const others = containers
    .list()
    .filter((other) => other.id !== record.id && other.status.pid !== 0)
    .map((other) => ({ name: other.name, namespaces: host.namespaces.read(other.status.pid) }))
  return TYPES.map((type) => ({ type, inode: inodeOf(own[type]), sharedWith: sharedWith(type, own, hosts, others) }))
}

function sharedWith(
  type: (typeof TYPES)[number],
  own: ProcessNamespaces,
  hosts: ProcessNamespaces | undefined,
  others: readonly { readonly name: string; readonly namespaces: ProcessNamespaces | undefined }[],
): 'own' | 'host' | readonly string[] {
  if (hosts?.[type] === own[type]) return 'host'
  const names = others.filter((other) => other.namespaces?.[type] === own[type]).map((other) => other.name)
  return names.length === 0 ? 'own' : names
}

/** `net:[4026531840]` */
function inodeOf(text: string): number {
  return Number(/\[(\d+)\]/.exec(text)?.[1] ?? 0)
}

function networkOf({ spec, status }: ContainerRecord): Anatomy['network'] {
  const endpoints = Object.entries(status.endpoints).map(([network, endpoint]) => ({
    network,
    address: `${endpoint.ipAddress}/${endpoint.ipPrefixLength}`,
    gateway: endpoint.gateway,
    macAddress: endpoint.macAddress,
    names: endpoint.dnsNames,
  }))
  return { mode: spec.network.mode, endpoints, ports: status.ports }
}

function filesOf(needs: AnatomyNeeds, { id, status, spec }: ContainerRecord): Anatomy['files'] {
  return [
    ...(spec.log.driver === 'none' ? [] : [{ path: logPathOf(needs, id), purpose: 'what it wrote, a JSON line each' }]),
    { path: homeOf(needs, id), purpose: 'hosts, hostname and resolv.conf, mounted into it' },
    ...(status.pid === 0 ? [] : [{ path: runDirOf(needs, id), purpose: 'its specification and the socket of its shim' }]),
  ]
}
