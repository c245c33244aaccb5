import type { ContainerFiles, ContainerRecord, ContainerSpec, ContainerStatus, HealthSpec } from '#engine/containers'

import { endpointSettings, portList, portMap } from './endpoint-json.ts'
import { hostConfigJson } from './host-config-json.ts'
import { mountPoints } from './mount-json.ts'
import { statusText } from './status-text.ts'
import { timeOrZero, unixSeconds } from './times.ts'

const NS_PER_MS = 1_000_000

/** The containers' own `MacAddress` in Config ended with 1.44; it is the endpoint's since. */
const LAST_MINOR_WITH_CONFIG_MAC = 43

const FIRST_MINOR_WITH_START_INTERVAL = 44

/** Legacy copies of the default bridge's endpoint; dropped after 1.51. */
const LEGACY_NETWORK = 'bridge'

export interface ContainerSize {
  readonly rwBytes: number
  readonly rootFsBytes: number
}

/** ContainerInspectResponse. */
export function containerJson(
  record: ContainerRecord,
  around: {
    readonly minor: number
    readonly storageDriver: string
    readonly size: ContainerSize | null
    readonly execIds: readonly string[]
    readonly files: ContainerFiles
  },
) {
  const { spec, status } = record
  const [path = '', ...args] = [...(spec.process.entrypoint ?? []), ...(spec.process.cmd ?? [])]
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path,
    Args: args,
    State: stateJson(status),
    Image: spec.imageId,
    ResolvConfPath: around.files.resolvConf,
    HostnamePath: around.files.hostname,
    HostsPath: around.files.hosts,
    LogPath: around.files.log,
    Name: `/${record.name}`,
    RestartCount: status.restartCount,
    Driver: around.storageDriver,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: spec.security.apparmor ?? '',
    ExecIDs: around.execIds.length === 0 ? null : around.execIds,
    HostConfig: hostConfigJson(record),
    GraphDriver: { Data: {}, Name: around.storageDriver },
    ...sizeJson(around.size),
    Mounts: mountPoints(record.mounts),
    Config: configJson(record, around.minor),
    NetworkSettings: networkSettings(record, around.minor),
  }
}

/** ContainerSummary, an item of `docker ps`. */
export function containerSummary(
  record: ContainerRecord,
  around: { readonly minor: number; readonly nowMs: number; readonly size: ContainerSize | null },
) {
  const { spec, status } = record
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: spec.image,
    ImageID: spec.imageId,
    Command: [...(spec.process.entrypoint ?? []), ...(spec.process.cmd ?? [])].map(quoted).join(' '),
    Created: unixSeconds(record.createdAt),
    Ports: portList(record),
    ...sizeJson(around.size),
    Labels: spec.labels,
    State: status.state,
    Status: statusText(status, around.nowMs),
    HostConfig: {
      NetworkMode: spec.network.mode,
      ...(around.minor >= 46 && Object.keys(spec.annotations).length > 0 ? { Annotations: spec.annotations } : {}),
    },
    NetworkSettings: { Networks: endpointSettings(record, around.minor) },
    Mounts: mountPoints(record.mounts),
  }
}

function sizeJson(size: ContainerSize | null) {
  return size === null ? {} : { SizeRw: size.rwBytes, SizeRootFs: size.rootFsBytes }
}

/** As dockerd joins a command: arguments with white space in quotes. */
function quoted(argument: string): string {
  return /\s/.test(argument) ? `'${argument}'` : argument
}

function stateJson(status: ContainerStatus) {
  const isRunning = status.state === 'running' || status.state === 'paused' || status.state === 'restarting'
  return {
    Status: status.state,
    Running: isRunning,
    Paused: status.state === 'paused',
    Restarting: status.state === 'restarting',
    OOMKilled: status.isOomKilled,
    Dead: status.state === 'dead',
    Pid: status.pid,
    ExitCode: status.exitCode,
    Error: status.error,
    StartedAt: timeOrZero(status.startedAt),
    FinishedAt: timeOrZero(status.finishedAt),
    ...(status.health === null ? {} : { Health: healthJson(status.health) }),
  }
}

function healthJson(health: NonNullable<ContainerStatus['health']>) {
  return {
    Status: health.status,
    FailingStreak: health.failingStreak,
    Log: health.log.map(({ start, end, exitCode, output }) => ({ Start: start, End: end, ExitCode: exitCode, Output: output })),
  }
}

function configJson({ id, spec }: ContainerRecord, minor: number) {
  const { process } = spec
  return {
    Hostname: spec.hostname === '' ? id.slice(0, 12) : spec.hostname,
    Domainname: spec.domainname,
    User: process.user,
    AttachStdin: process.attachStdin,
    AttachStdout: process.attachStdout,
    AttachStderr: process.attachStderr,
    ...(spec.exposedPorts.length === 0 ? {} : { ExposedPorts: emptyObjects(spec.exposedPorts) }),
    Tty: process.hasTty,
    OpenStdin: process.hasStdin,
    StdinOnce: process.isStdinOnce,
    Env: process.env,
    Cmd: process.cmd,
    ...(spec.health === null ? {} : { Healthcheck: healthcheckJson(spec.health, minor) }),
    Image: spec.image,
    Volumes: volumesJson(spec),
    WorkingDir: process.workingDir,
    Entrypoint: process.entrypoint,
    ...(minor <= LAST_MINOR_WITH_CONFIG_MAC ? { MacAddress: spec.network.macAddress ?? '' } : {}),
    OnBuild: null,
    Labels: spec.labels,
    StopSignal: spec.stopSignal,
    StopTimeout: spec.stopTimeoutS,
    ...(process.shell === null ? {} : { Shell: process.shell }),
  }
}

export function healthcheckJson(health: HealthSpec, minor: number) {
  return {
    Test: health.test,
    Interval: Math.round(health.intervalMs * NS_PER_MS),
    Timeout: Math.round(health.timeoutMs * NS_PER_MS),
    StartPeriod: Math.round(health.startPeriodMs * NS_PER_MS),
    ...(minor >= FIRST_MINOR_WITH_START_INTERVAL ? { StartInterval: Math.round(health.startIntervalMs * NS_PER_MS) } : {}),
    Retries: health.retries,
  }
}

export function emptyObjects(names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.map((name) => [name, {}]))
}

function volumesJson(spec: ContainerSpec) {
  const anonymous = spec.mounts.filter((mount) => mount.type === 'volume' && mount.isAnonymous)
  return anonymous.length === 0 ? null : emptyObjects(anonymous.map((mount) => mount.target))
}

function networkSettings(record: ContainerRecord, minor: number) {
  const networks = endpointSettings(record, minor)
  const legacy = record.status.endpoints[LEGACY_NETWORK]
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: '',
    Ports: portMap(record),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: legacy?.endpointId ?? '',
    Gateway: legacy?.gateway ?? '',
    GlobalIPv6Address: legacy?.ipv6Address ?? '',
    GlobalIPv6PrefixLen: legacy?.ipv6PrefixLength ?? 0,
    IPAddress: legacy?.ipAddress ?? '',
    IPPrefixLen: legacy?.ipPrefixLength ?? 0,
    IPv6Gateway: legacy?.ipv6Gateway ?? '',
    MacAddress: legacy?.macAddress ?? '',
    Networks: networks,
  }
}
