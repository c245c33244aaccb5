import type { ResourceSpec } from '#engine/containers'

import { dockerError } from '../errors.ts'
import type { Reader } from './read.ts'

/** Less than this and the container's own start-up is killed. dockerd's bound and text: clients test for it. */
const MIN_MEMORY_BYTES = 6 * 1024 * 1024
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024
const NANO = 1_000_000_000

/** What HostConfig asks of memory, CPU, pids and devices. Empty fields are null: no limit. Errors: `docker.field_invalid`. */
export function resourceSpec(hostConfig: Reader, host: { readonly cpus: number }): ResourceSpec {
  const limits = limitsOf(hostConfig)
  checkMemory(limits)
  checkCpu(limits, host.cpus, '')
  const swappiness = memorySwappiness(hostConfig)
  const weights = blkioWeightDevices(hostConfig)
  return {
    ...limits,
    // As dockerd has it, and shows it: as much swap again.
    memorySwapBytes: limits.memorySwapBytes ?? (limits.memoryBytes === null ? null : limits.memoryBytes * 2),
    ...(swappiness === null ? {} : { memorySwappiness: swappiness }),
    blkioWeight: blkioWeight(hostConfig),
    ...(weights.length === 0 ? {} : { blkioWeightDevices: weights }),
    blkioDevices: blkioDevices(hostConfig),
    isOomKillDisabled: hostConfig.bool('OomKillDisable'),
    oomScoreAdj: oomScore(hostConfig.int('OomScoreAdj') ?? 0),
    ulimits: ulimits(hostConfig),
    shmBytes: shmBytes(hostConfig.int('ShmSize') ?? 0),
    cgroupParent: hostConfig.text('CgroupParent'),
  }
}

/** Only what the request names, for `update`; checked against itself, the engine checks it against what holds. */
export function resourceChange(body: Reader, host: { readonly cpus: number }): Partial<ResourceSpec> {
  const limits = limitsOf(body)
  if (memorySwappiness(body) !== null)
    throw dockerError('docker.field_unsupported', 'MemorySwappiness cannot be updated: it is set when a container is created')
  checkCpu(limits, host.cpus, ' updated')
  if (limits.memoryBytes !== null) checkMemory({ ...limits, memorySwapBytes: null })
  const all = {
    ...limits,
    cpusetCpus: limits.cpusetCpus || null,
    cpusetMems: limits.cpusetMems || null,
    // 0 and -1 take a limit away, so they are a change; null is not.
    pidsLimit: body.int('PidsLimit'),
    blkioWeight: blkioWeight(body),
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null)) as Partial<ResourceSpec>
}

type Limits = Pick<
  ResourceSpec,
  | 'memoryBytes'
  | 'memorySwapBytes'
  | 'memoryReservationBytes'
  | 'nanoCpus'
  | 'cpuShares'
  | 'cpuPeriodUs'
  | 'cpuQuotaUs'
  | 'cpuRealtimePeriodUs'
  | 'cpuRealtimeRuntimeUs'
  | 'cpusetCpus'
  | 'cpusetMems'
  | 'pidsLimit'
>

function limitsOf(from: Reader): Limits {
  const positive = (name: string) => from.int(name) || null
  const realtimePeriod = positive('CpuRealtimePeriod')
  const realtimeRuntime = positive('CpuRealtimeRuntime')
  return {
    memoryBytes: positive('Memory'),
    memorySwapBytes: positive('MemorySwap'),
    memoryReservationBytes: positive('MemoryReservation'),
    nanoCpus: positive('NanoCpus') ?? positive('NanoCPUs'),
    cpuShares: positive('CpuShares'),
    cpuPeriodUs: positive('CpuPeriod'),
    cpuQuotaUs: positive('CpuQuota'),
    ...(realtimePeriod === null ? {} : { cpuRealtimePeriodUs: realtimePeriod }),
    ...(realtimeRuntime === null ? {} : { cpuRealtimeRuntimeUs: realtimeRuntime }),
    cpusetCpus: cpuList(from.text('CpusetCpus'), 'CpusetCpus'),
    cpusetMems: cpuList(from.text('CpusetMems'), 'CpusetMems'),
    pidsLimit: positive('PidsLimit'),
  }
}

function checkMemory({ memoryBytes, memorySwapBytes, memoryReservationBytes }: Limits): void {
  if (memoryBytes !== null && memoryBytes < MIN_MEMORY_BYTES) throw invalid('Minimum memory limit allowed is 6MB')
  if (memorySwapBytes !== null && memorySwapBytes !== -1) {
    if (memoryBytes === null) throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage')
    if (memorySwapBytes < memoryBytes) throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (memoryReservationBytes === null) return
  if (memoryReservationBytes < MIN_MEMORY_BYTES) throw invalid('Minimum memory reservation allowed is 6MB')
  if (memoryBytes !== null && memoryBytes < memoryReservationBytes)
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage')
}

/** null: not asked for; -1 stands for that as well. */
function memorySwappiness(from: Reader): number | null {
  const swappiness = from.int('MemorySwappiness')
  if (swappiness === null || swappiness === -1) return null
  if (swappiness < 0 || swappiness > 100) throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`)
  return swappiness
}

function checkCpu(limits: Limits, cpus: number, update: '' | ' updated'): void {
  const { nanoCpus, cpuPeriodUs, cpuQuotaUs, cpuShares } = limits
  if (nanoCpus !== null) {
    const clash = cpuPeriodUs !== null ? 'CPU Period' : cpuQuotaUs !== null ? 'CPU Quota' : undefined
    if (clash !== undefined)
      throw invalid(
        update === ''
          ? `Conflicting options: Nano CPUs and ${clash} cannot both be set`
          : `Conflicting options: Nano CPUs cannot be updated as ${clash} has already been set`,
      )
    if (nanoCpus < NANO / 100 || nanoCpus > cpus * NANO)
      throw invalid(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`)
  }
  if (cpuPeriodUs !== null && (cpuPeriodUs < 1000 || cpuPeriodUs > 1_000_000))
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  if (cpuQuotaUs !== null && cpuQuotaUs !== -1 && cpuQuotaUs < 1000)
    throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  if (cpuShares !== null && cpuShares < 0) throw invalid(`shares must be greater than or equal to 0, not ${cpuShares}`)
  checkRealtime(limits)
}

/** The kernel's own, when none is given: sched-rt-group of its documentation. */
const REALTIME_PERIOD_US = 1_000_000

function checkRealtime({ cpuRealtimePeriodUs: period, cpuRealtimeRuntimeUs: runtime }: Limits): void {
  if ((period ?? 0) < 0 || (runtime ?? 0) < 0) throw invalid('cpu real-time period and runtime cannot be negative')
  if (runtime !== undefined && runtime > (period ?? REALTIME_PERIOD_US))
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period')
}

/** `0-3,5`: cpuset(7), list format. */
function cpuList(text: string, name: string): string {
  if (text === '' || /^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(text)) return text
  throw invalid(`Invalid value ${text} for ${name === 'CpusetCpus' ? 'cpuset cpus' : 'cpuset mems'}`)
}

function blkioWeight(from: Reader): number | null {
  const weight = from.int('BlkioWeight') || null
  if (weight !== null && (weight < 10 || weight > 1000)) throw invalid('Range of blkio weight is from 10 to 1000')
  return weight
}

function blkioWeightDevices(from: Reader): NonNullable<ResourceSpec['blkioWeightDevices']> {
  return from.list('BlkioWeightDevice').map((device) => {
    const path = device.text('Path')
    const weight = device.int('Weight') ?? 0
    if (!path.startsWith('/')) throw invalid(`${device.at}: ${JSON.stringify(path)} is not an absolute path of a device`)
    if (weight < 10 || weight > 1000) throw invalid(`${device.at}: Range of blkio weight is from 10 to 1000`)
    return { path, weight }
  })
}

const THROTTLES = [
  ['BlkioDeviceReadBps', 'readBps'],
  ['BlkioDeviceWriteBps', 'writeBps'],
  ['BlkioDeviceReadIOps', 'readIops'],
  ['BlkioDeviceWriteIOps', 'writeIops'],
] as const

function blkioDevices(from: Reader): ResourceSpec['blkioDevices'] {
  return THROTTLES.flatMap(([name, kind]) =>
    from.list(name).map((device) => {
      const path = device.text('Path')
      const rate = device.int('Rate') ?? 0
      if (!path.startsWith('/') || rate < 0)
        throw invalid(`${device.at}: a device needs an absolute path and a rate of 0 or more`)
      return { kind, path, rate }
    }),
  )
}

function oomScore(score: number): number {
  if (score < -1000 || score > 1000) throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`)
  return score
}

function shmBytes(bytes: number): number {
  if (bytes < 0) throw invalid('SHM size can not be less than 0')
  return bytes === 0 ? DEFAULT_SHM_BYTES : bytes
}

/** getrlimit(2). */
const ULIMITS: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

export function ulimits(from: Reader): ResourceSpec['ulimits'] {
  return from.list('Ulimits').map((limit) => {
    const name = limit.text('Name').toLowerCase()
    const soft = limit.int('Soft') ?? 0
    const hard = limit.int('Hard') ?? 0
    if (!ULIMITS.has(name)) throw invalid(`invalid ulimit type: ${name}`)
    if (soft < -1 || hard < -1) throw invalid(`ulimit ${name}: a limit is 0 or more, or -1 for none`)
    if (hard !== -1 && (soft === -1 || soft > hard))
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`)
    return { name, soft, hard }
  })
}

function invalid(message: string): Error {
  return dockerError('docker.field_invalid', message)
}
