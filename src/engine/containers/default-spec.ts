import type { ImageRecord } from '#engine/images'

import type { ContainerSpec, HealthSpec } from './spec.ts'

/** As the classic path of Docker's images has it; there is always one. */
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024
const DEFAULT_STOP_TIMEOUT_S = 10

/** Docker's defaults for a health check: what is zero in an image means these. */
const HEALTH_DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 }

/** What a container of this image is when nobody asks for anything. Callers change what they were asked for. */
export function specFromImage(image: Pick<ImageRecord, 'id' | 'os' | 'config'>, reference: string): ContainerSpec {
  const { config } = image
  return {
    image: reference,
    imageId: image.id,
    platform: image.os,
    process: {
      entrypoint: config.entrypoint,
      cmd: config.cmd,
      env: withPath(config.env),
      workingDir: config.workingDir === '' ? '/' : config.workingDir,
      user: config.user,
      additionalGroups: [],
      hasTty: false,
      hasStdin: false,
      isStdinOnce: false,
      attachStdin: false,
      attachStdout: false,
      attachStderr: false,
      consoleSize: null,
      shell: config.shell,
    },
    hostname: '',
    domainname: '',
    labels: config.labels,
    annotations: {},
    health: healthWithDefaults(config.healthcheck),
    stopSignal: config.stopSignal === '' ? 'SIGTERM' : config.stopSignal,
    stopTimeoutS: DEFAULT_STOP_TIMEOUT_S,
    exposedPorts: config.exposedPorts,
    mounts: config.volumes.map((target) => ({
      type: 'volume' as const,
      name: '',
      target,
      isReadOnly: false,
      isNoCopy: false,
      subpath: '',
      driver: 'local',
      driverOptions: {},
      labels: {},
      isAnonymous: true,
    })),
    network: {
      mode: 'none',
      endpoints: {},
      portBindings: [],
      publishAll: false,
      macAddress: null,
      dns: [],
      dnsSearch: [],
      dnsOptions: [],
      extraHosts: [],
    },
    resources: {
      memoryBytes: null,
      memorySwapBytes: null,
      memoryReservationBytes: null,
      nanoCpus: null,
      cpuShares: null,
      cpuPeriodUs: null,
      cpuQuotaUs: null,
      cpusetCpus: '',
      cpusetMems: '',
      pidsLimit: null,
      blkioWeight: null,
      blkioDevices: [],
      isOomKillDisabled: false,
      oomScoreAdj: 0,
      ulimits: [],
      shmBytes: DEFAULT_SHM_BYTES,
      cgroupParent: '',
    },
    security: {
      isPrivileged: false,
      isReadOnlyRoot: false,
      capAdd: [],
      capDrop: [],
      isNoNewPrivileges: false,
      seccomp: 'default',
      maskedPaths: null,
      readonlyPaths: null,
      sysctls: {},
      devices: [],
      deviceCgroupRules: [],
    },
    namespaces: { pid: '', ipc: '', uts: '', cgroup: 'private' },
    restart: { name: 'no', maximumRetryCount: 0 },
    shouldAutoRemove: false,
    hasInit: false,
    log: { driver: '', options: {} },
  }
}

/** `more` on top of `base`: the last value of a name counts. */
export function mergeEnv(base: readonly string[], more: readonly string[]): readonly string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? ''
  const replaced = new Map(more.map((entry) => [nameOf(entry), entry]))
  const kept = base.map((entry) => replaced.get(nameOf(entry)) ?? entry)
  const known = new Set(base.map(nameOf))
  return [...kept, ...[...replaced].filter(([name]) => !known.has(name)).map(([, entry]) => entry)]
}

function withPath(env: readonly string[]): readonly string[] {
  return env.some((entry) => entry.startsWith('PATH=')) ? env : [DEFAULT_PATH, ...env]
}

/** null and `NONE` are no check; zeros are Docker's defaults. */
export function healthWithDefaults(check: HealthSpec | null): HealthSpec | null {
  if (check === null || check.test.length === 0 || check.test[0] === 'NONE') return null
  const or = (value: number, fallback: number) => (value === 0 ? fallback : value)
  return {
    test: check.test,
    intervalMs: or(check.intervalMs, HEALTH_DEFAULTS.intervalMs),
    timeoutMs: or(check.timeoutMs, HEALTH_DEFAULTS.timeoutMs),
    startPeriodMs: check.startPeriodMs,
    startIntervalMs: or(check.startIntervalMs, HEALTH_DEFAULTS.startIntervalMs),
    retries: or(check.retries, HEALTH_DEFAULTS.retries),
  }
}
