/** What of a running container's limits is to change. Left out: stays as it is. */
export interface ResourceUpdate {
  readonly memoryBytes?: number
  /** Memory and swap together; -1: unlimited. */
  readonly memorySwapBytes?: number
  readonly memoryReservationBytes?: number
  readonly cpuShares?: number
  readonly cpuPeriodUs?: number
  /** -1: unlimited. */
  readonly cpuQuotaUs?: number
  readonly cpuRealtimePeriodUs?: number
  readonly cpuRealtimeRuntimeUs?: number
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  readonly blkioWeight?: number
  /** -1: unlimited. */
  readonly pidsLimit?: number
}

const FLAGS: Readonly<Record<keyof ResourceUpdate, string>> = {
  memoryBytes: '--memory',
  memorySwapBytes: '--memory-swap',
  memoryReservationBytes: '--memory-reservation',
  cpuShares: '--cpu-share',
  cpuPeriodUs: '--cpu-period',
  cpuQuotaUs: '--cpu-quota',
  cpuRealtimePeriodUs: '--cpu-rt-period',
  cpuRealtimeRuntimeUs: '--cpu-rt-runtime',
  cpusetCpus: '--cpuset-cpus',
  cpusetMems: '--cpuset-mems',
  blkioWeight: '--blkio-weight',
  pidsLimit: '--pids-limit',
}

/** Flags of `crun update`, which takes plain numbers only. */
export function updateArguments(resources: ResourceUpdate): readonly string[] {
  return Object.entries(FLAGS).flatMap(([field, flag]) => {
    const value = resources[field as keyof ResourceUpdate]
    return value === undefined ? [] : [`${flag}=${value}`]
  })
}
