import type { ContainerRecord, ContainerSpec, ResourceSpec } from '#engine/containers'
import { MASKED_PATHS, READONLY_PATHS } from '#engine/runtime/spec'

import { mountRequests } from './mount-json.ts'

/** HostConfig of inspect: the request said back, with defaults filled in. */
export function hostConfigJson({ spec, name }: Pick<ContainerRecord, 'spec' | 'name'>) {
  const { network, security, namespaces } = spec
  return {
    ...mountRequests(spec),
    ContainerIDFile: '',
    LogConfig: { Type: spec.log.driver, Config: spec.log.options },
    NetworkMode: network.mode,
    PortBindings: portBindingsJson(spec),
    RestartPolicy: { Name: spec.restart.name, MaximumRetryCount: spec.restart.maximumRetryCount },
    AutoRemove: spec.shouldAutoRemove,
    VolumeDriver: '',
    VolumesFrom: null,
    ConsoleSize: spec.process.consoleSize ?? [0, 0],
    ...(Object.keys(spec.annotations).length === 0 ? {} : { Annotations: spec.annotations }),
    CapAdd: orNull(security.capAdd),
    CapDrop: orNull(security.capDrop),
    CgroupnsMode: namespaces.cgroup,
    Dns: network.dns,
    DnsOptions: network.dnsOptions,
    DnsSearch: network.dnsSearch,
    ExtraHosts: orNull(network.extraHosts),
    GroupAdd: orNull(spec.process.additionalGroups),
    IpcMode: namespaces.ipc,
    Cgroup: '',
    Links: network.links?.map(({ container, alias }) => `/${container}:/${name}/${alias}`) ?? null,
    PidMode: namespaces.pid,
    Privileged: security.isPrivileged,
    PublishAllPorts: network.publishAll,
    ReadonlyRootfs: security.isReadOnlyRoot,
    SecurityOpt: orNull(securityOptions(spec)),
    UTSMode: namespaces.uts,
    UsernsMode: namespaces.user ?? '',
    ...(Object.keys(security.sysctls).length === 0 ? {} : { Sysctls: security.sysctls }),
    Isolation: '',
    ...resourcesJson(spec.resources),
    Devices: security.devices.map((device) => ({
      PathOnHost: device.hostPath,
      PathInContainer: device.containerPath,
      CgroupPermissions: device.permissions,
    })),
    DeviceCgroupRules: orNull(security.deviceCgroupRules),
    DeviceRequests: null,
    MaskedPaths: security.maskedPaths ?? (security.isPrivileged ? null : MASKED_PATHS),
    ReadonlyPaths: security.readonlyPaths ?? (security.isPrivileged ? null : READONLY_PATHS),
    ...(spec.hasInit ? { Init: true } : {}),
  }
}

function resourcesJson(resources: ResourceSpec) {
  return {
    Memory: resources.memoryBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? 0,
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwappiness: resources.memorySwappiness ?? null,
    NanoCpus: resources.nanoCpus ?? 0,
    CpuShares: resources.cpuShares ?? 0,
    CpuPeriod: resources.cpuPeriodUs ?? 0,
    CpuQuota: resources.cpuQuotaUs ?? 0,
    CpuRealtimePeriod: resources.cpuRealtimePeriodUs ?? 0,
    CpuRealtimeRuntime: resources.cpuRealtimeRuntimeUs ?? 0,
    CpusetCpus: resources.cpusetCpus,
    CpusetMems: resources.cpusetMems,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    CgroupParent: resources.cgroupParent,
    BlkioWeight: resources.blkioWeight ?? 0,
    BlkioWeightDevice: (resources.blkioWeightDevices ?? []).map(({ path, weight }) => ({ Path: path, Weight: weight })),
    BlkioDeviceReadBps: throttles(resources, 'readBps'),
    BlkioDeviceWriteBps: throttles(resources, 'writeBps'),
    BlkioDeviceReadIOps: throttles(resources, 'readIops'),
    BlkioDeviceWriteIOps: throttles(resources, 'writeIops'),
    OomKillDisable: resources.isOomKillDisabled,
    OomScoreAdj: resources.oomScoreAdj,
    PidsLimit: resources.pidsLimit,
    Ulimits: resources.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ShmSize: resources.shmBytes,
  }
}

function throttles(resources: ResourceSpec, kind: ResourceSpec['blkioDevices'][number]['kind']) {
  return resources.blkioDevices.filter((device) => device.kind === kind).map(({ path, rate }) => ({ Path: path, Rate: rate }))
}

function portBindingsJson(spec: ContainerSpec) {
  const map: Record<string, { HostIp: string; HostPort: string }[]> = {}
  for (const { containerPort, protocol, hostIp, hostPort } of spec.network.portBindings) {
    const port =
      hostPort === null ? '' : hostPort.first === hostPort.last ? String(hostPort.first) : `${hostPort.first}-${hostPort.last}`
    ;(map[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: port })
  }
  return map
}

function securityOptions({ security }: ContainerSpec): readonly string[] {
  return [
    ...(security.isNoNewPrivileges ? ['no-new-privileges'] : []),
    ...(security.apparmor === undefined ? [] : [`apparmor=${security.apparmor}`]),
    ...(security.seccomp === 'default' ? [] : [`seccomp=${security.seccomp}`]),
  ]
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}
