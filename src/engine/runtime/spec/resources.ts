import type { RuntimeBlockIo, RuntimeDevice, RuntimeDeviceRule, RuntimeResources } from '#oci/runtime-spec'

import { specError } from './errors.ts'
import type { BlkioDeviceInput, DeviceInput, ResourcesInput, RuntimeSpecInput, SpecHostFacts } from './input.ts'

/** The kernel's default period, which nanoCpus are counted in. */
const CPU_PERIOD_US = 100_000

export function planResources(
  input: Pick<RuntimeSpecInput, 'resources' | 'devices' | 'deviceRules' | 'security'>,
  host: Pick<SpecHostFacts, 'hasSwapLimit' | 'cgroupMode'>,
): RuntimeResources {
  const { resources } = input
  if (resources.isOomKillDisabled && host.cgroupMode === 'v2')
    throw specError('spec.unsupported', 'the OOM killer cannot be switched off for a container: this host has cgroup v2', {
      hint: 'Leave the option out. A container without a memory limit is not killed for its own use alone.',
    })
  const memory = memoryOf(resources, host.hasSwapLimit ?? true)
  const cpu = cpuOf(resources)
  const blockIO = blockIoOf(resources)
  const limit = resources.pidsLimit
  return {
    devices: deviceRules(input),
    ...(isEmpty(memory) ? {} : { memory }),
    ...(isEmpty(cpu) ? {} : { cpu }),
    ...(limit === null || limit <= 0 ? {} : { pids: { limit } }),
    ...(isEmpty(blockIO) ? {} : { blockIO }),
  }
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0
}

function memoryOf(r: ResourcesInput, hasSwapLimit: boolean): NonNullable<RuntimeResources['memory']> {
  if (r.memoryBytes !== null && r.memorySwapBytes !== null && r.memorySwapBytes > 0 && r.memorySwapBytes < r.memoryBytes)
    throw specError('spec.invalid', `memory and swap together (${r.memorySwapBytes}) are less than the memory (${r.memoryBytes})`)
  const swap = r.memorySwapBytes ?? (r.memoryBytes === null ? null : r.memoryBytes * 2)
  return {
    ...(r.memoryBytes === null ? {} : { limit: r.memoryBytes }),
    ...(r.memoryReservationBytes === null ? {} : { reservation: r.memoryReservationBytes }),
    ...(swap === null || !hasSwapLimit ? {} : { swap }),
    ...(r.isOomKillDisabled ? { disableOOMKiller: true } : {}),
    ...(r.memorySwappiness === undefined ? {} : { swappiness: r.memorySwappiness }),
  }
}

function cpuOf(r: ResourcesInput): NonNullable<RuntimeResources['cpu']> {
  if (r.nanoCpus !== null && (r.cpuPeriodUs !== null || r.cpuQuotaUs !== null))
    throw specError('spec.invalid', 'a number of CPUs and a CPU period or quota exclude each other')
  const period = r.nanoCpus === null ? r.cpuPeriodUs : CPU_PERIOD_US
  const quota = r.nanoCpus === null ? r.cpuQuotaUs : Math.round((r.nanoCpus * CPU_PERIOD_US) / 1e9)
  return {
    ...(r.cpuShares === null ? {} : { shares: r.cpuShares }),
    ...(period === null ? {} : { period }),
    ...(quota === null ? {} : { quota }),
    ...(r.cpuRealtimePeriodUs === undefined ? {} : { realtimePeriod: r.cpuRealtimePeriodUs }),
    ...(r.cpuRealtimeRuntimeUs === undefined ? {} : { realtimeRuntime: r.cpuRealtimeRuntimeUs }),
    ...(r.cpusetCpus === '' ? {} : { cpus: r.cpusetCpus }),
    ...(r.cpusetMems === '' ? {} : { mems: r.cpusetMems }),
  }
}

const THROTTLES = {
  readBps: 'throttleReadBpsDevice',
  writeBps: 'throttleWriteBpsDevice',
  readIops: 'throttleReadIOPSDevice',
  writeIops: 'throttleWriteIOPSDevice',
} as const satisfies Record<BlkioDeviceInput['kind'], keyof RuntimeBlockIo>

function blockIoOf(r: ResourcesInput): RuntimeBlockIo {
  const throttles = Object.entries(THROTTLES).flatMap(([kind, field]) => {
    const devices = r.blkioDevices.filter((device) => device.kind === kind)
    return devices.length === 0 ? [] : [[field, devices.map(({ major, minor, rate }) => ({ major, minor, rate }))] as const]
  })
  const weights = r.blkioWeightDevices ?? []
  return {
    ...(r.blkioWeight === null ? {} : { weight: r.blkioWeight }),
    ...(weights.length === 0 ? {} : { weightDevice: weights.map(({ major, minor, weight }) => ({ major, minor, weight })) }),
    ...Object.fromEntries(throttles),
  }
}

const allowed = (major: number, minor: number | undefined): RuntimeDeviceRule => ({
  allow: true,
  type: 'c',
  major,
  ...(minor === undefined ? {} : { minor }),
  access: 'rwm',
})

/** Nodes may be made at will, but only these opened: null, zero, full, random, urandom, tty, console, ptmx, terminals. */
const DEFAULT_RULES: readonly RuntimeDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[3, 5, 7, 8, 9].map((minor) => allowed(1, minor)),
  ...[0, 1, 2].map((minor) => allowed(5, minor)),
  allowed(136, undefined),
]

/** The last rule that matches counts. */
function deviceRules(input: Pick<RuntimeSpecInput, 'devices' | 'deviceRules' | 'security'>): readonly RuntimeDeviceRule[] {
  if (input.security.isPrivileged) return [{ allow: true, access: 'rwm' }]
  return [
    ...DEFAULT_RULES,
    ...input.devices.map((d) => ({ allow: true, type: d.type, major: d.major, minor: d.minor, access: d.permissions })),
    ...input.deviceRules.map(parseDeviceRule),
  ]
}

/** As the kernel writes and reads them: Documentation/admin-guide/cgroup-v1/devices.rst. */
function parseDeviceRule(text: string): RuntimeDeviceRule {
  const match = /^([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text)
  if (match === null)
    throw specError('spec.invalid', `device rule ${JSON.stringify(text)} cannot be read`, { hint: 'Write it as `c 42:* rmw`.' })
  const [, type, major, minor, access] = match
  return {
    allow: true,
    type: type as 'a' | 'b' | 'c',
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access: access ?? '',
  }
}

export function deviceNodes(devices: readonly DeviceInput[]): readonly RuntimeDevice[] {
  return devices.map(({ path, type, major, minor, fileMode, uid, gid }) => ({ path, type, major, minor, fileMode, uid, gid }))
}
