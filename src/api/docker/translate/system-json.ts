import type { ContainerRecord } from '#engine/containers'

import type { EngineHost, EngineVersion } from '../engine.ts'
import type { swarmInfo } from '../swarm/swarm-json.ts'
import { API_VERSION, MIN_API_VERSION } from '../version.ts'
import { driversOf } from './drivers.ts'

/** SystemVersion, GET /version. The engine is also the first of the components, as CLIs print those. */
export function versionJson(version: EngineVersion) {
  const details = {
    ApiVersion: API_VERSION,
    Arch: version.architecture,
    BuildTime: version.buildTime,
    Experimental: 'false',
    GitCommit: version.gitCommit,
    GoVersion: '',
    KernelVersion: version.kernelVersion,
    MinAPIVersion: MIN_API_VERSION,
    Os: 'linux',
  }
  return {
    Platform: { Name: 'Glovebox' },
    Components: [
      { Name: 'Engine', Version: version.version, Details: details },
      ...version.components.map((part) => ({ Name: part.name, Version: part.version, Details: part.details })),
    ],
    Version: version.version,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: version.gitCommit,
    GoVersion: '',
    Os: 'linux',
    Arch: version.architecture,
    KernelVersion: version.kernelVersion,
    BuildTime: version.buildTime,
  }
}

/** The two fields ended with 1.50. */
const LAST_MINOR_WITH_BRIDGE_NETFILTER = 49
/** With the artifacts that could not be distributed went the two lists of who may get them all the same. */
const LAST_MINOR_WITH_NONDISTRIBUTABLE = 48
const FIRST_MINOR_WITH_FIREWALL_BACKEND = 49
const FIRST_MINOR_WITH_DEVICES = 50
const FIRST_MINOR_WITH_CDI = 44
const FIRST_MINOR_WITH_POOLS = 41
/** Before 1.25 options of security were bare names, and drivers of execution had a field. */
const FIRST_MINOR_WITH_OPTION_PAIRS = 25

/** SystemInfo, GET /info. */
export function infoJson(
  host: EngineHost,
  around: {
    readonly version: string
    readonly containers: readonly ContainerRecord[]
    readonly images: number
    readonly systemTime: string
    readonly minor: number
    readonly swarm: ReturnType<typeof swarmInfo>
  },
) {
  const count = (...states: readonly string[]) =>
    around.containers.filter((record) => states.includes(record.status.state)).length
  return {
    ID: host.id,
    Containers: around.containers.length,
    ContainersRunning: count('running', 'restarting'),
    ContainersPaused: count('paused'),
    ContainersStopped: count('created', 'exited', 'removing', 'dead'),
    Images: around.images,
    Driver: host.storageDriver,
    DriverStatus: host.storageStatus,
    DockerRootDir: host.rootDir,
    Plugins: { ...driversOf(host, around.swarm.LocalNodeState === 'active'), Authorization: null },
    ...features(host),
    ...(around.minor <= LAST_MINOR_WITH_BRIDGE_NETFILTER
      ? { BridgeNfIptables: host.hasBridgeNetfilter.ipv4, BridgeNfIp6tables: host.hasBridgeNetfilter.ipv6 }
      : {}),
    NFd: host.openFiles,
    NGoroutines: 0,
    SystemTime: around.systemTime,
    LoggingDriver: host.logDriver,
    CgroupDriver: host.cgroupDriver,
    CgroupVersion: host.cgroupVersion,
    NEventsListener: host.eventListeners,
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: host.osVersion,
    OSType: 'linux',
    Architecture: host.architecture,
    NCPU: host.cpus,
    MemTotal: host.memoryBytes,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      ...registriesJson(host),
      ...(around.minor <= LAST_MINOR_WITH_NONDISTRIBUTABLE
        ? { AllowNondistributableArtifactsCIDRs: [], AllowNondistributableArtifactsHostnames: [] }
        : {}),
    },
    ...(around.minor >= FIRST_MINOR_WITH_POOLS && host.addressPools.length > 0
      ? { DefaultAddressPools: host.addressPools.map(({ base, size }) => ({ Base: base, Size: size })) }
      : {}),
    GenericResources: null,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: host.hostname,
    Labels: host.labels,
    ExperimentalBuild: false,
    ServerVersion: around.version,
    Runtimes: Object.fromEntries(Object.entries(host.runtimes).map(([name, path]) => [name, { path }])),
    DefaultRuntime: host.defaultRuntime,
    Swarm: around.swarm,
    LiveRestoreEnabled: host.isLiveRestoring,
    Isolation: '',
    // `--init`: the shim itself, under the name by which it is mounted.
    InitBinary: 'docker-init',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    ...securityJson(host, around.minor),
    ...(around.minor >= FIRST_MINOR_WITH_CDI ? { CDISpecDirs: [] } : {}),
    ...(around.minor >= FIRST_MINOR_WITH_FIREWALL_BACKEND ? { FirewallBackend: { Driver: 'nftables' } } : {}),
    ...(around.minor >= FIRST_MINOR_WITH_DEVICES ? { DiscoveredDevices: [] } : {}),
    Warnings: host.warnings,
  }
}

/** Networks stand for themselves, hosts are told of one by one. */
function registriesJson({ registries: { mirrors, insecure } }: EngineHost) {
  const hosts = insecure.filter((entry) => !entry.includes('/'))
  const index = (name: string, isOfficial: boolean) => ({
    Name: name,
    Mirrors: isOfficial ? mirrors : [],
    Secure: isOfficial,
    Official: isOfficial,
  })
  return {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...insecure.filter((entry) => entry.includes('/'))],
    IndexConfigs: Object.fromEntries([
      ['docker.io', index('docker.io', true)],
      ...hosts.map((name) => [name, index(name, false)] as const),
    ]),
    Mirrors: mirrors,
  }
}

function securityJson({ securityOptions }: EngineHost, minor: number) {
  if (minor >= FIRST_MINOR_WITH_OPTION_PAIRS) return { SecurityOptions: securityOptions }
  // `name=seccomp,profile=builtin`
  const names = securityOptions.map((option) => option.split(',')[0]?.replace('name=', '') ?? option)
  return { SecurityOptions: names, ExecutionDriver: '<not supported>' }
}

function features(host: EngineHost) {
  return {
    MemoryLimit: host.hasMemoryLimit,
    SwapLimit: host.hasSwapLimit,
    CpuCfsPeriod: host.hasCpuQuota,
    CpuCfsQuota: host.hasCpuQuota,
    CPUShares: host.hasCpuShares,
    CPUSet: host.hasCpuset,
    PidsLimit: host.hasPidsLimit,
    OomKillDisable: host.hasOomKillDisable,
    IPv4Forwarding: host.hasIpv4Forwarding,
    Debug: host.isDebug,
  }
}
