import { fail } from '#base'
import type { ResourceUpdate } from '#engine/runtime'

import type { ResourceSpec } from './spec.ts'

/** The kernel's own, which a quota counts in when no other is given. */
const CPU_PERIOD_US = 100_000

/**
 * The limits to tell the OCI runtime: what was asked for, and with it what shares a file of the kernel with that, for the runtime writes
 * such files as a whole. On cgroup v2 quota and period are one line, and the swap limit is counted from the memory limit.
 * `all`: the limits as they will be. Errors: `input.invalid` when they contradict each other.
 */
export function planUpdate(asked: Partial<ResourceSpec>, all: ResourceSpec): ResourceUpdate {
  if (
    all.memoryBytes !== null &&
    all.memorySwapBytes !== null &&
    all.memorySwapBytes > 0 &&
    all.memorySwapBytes < all.memoryBytes
  )
    throw fail(
      'input.invalid',
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    )
  const numbers = {
    memoryBytes: asked.memoryBytes ?? (typeof asked.memorySwapBytes === 'number' ? all.memoryBytes : undefined),
    memorySwapBytes: asked.memorySwapBytes,
    memoryReservationBytes: asked.memoryReservationBytes,
    cpuShares: asked.cpuShares,
    ...bandwidthOf(asked, all),
    cpuRealtimePeriodUs: asked.cpuRealtimePeriodUs,
    cpuRealtimeRuntimeUs: asked.cpuRealtimeRuntimeUs,
    blkioWeight: asked.blkioWeight,
    pidsLimit: asked.pidsLimit,
  }
  const texts = { cpusetCpus: asked.cpusetCpus, cpusetMems: asked.cpusetMems }
  return Object.fromEntries([
    ...Object.entries(numbers).filter(([, value]) => typeof value === 'number'),
    ...Object.entries(texts).filter(([, value]) => value !== undefined && value !== ''),
  ]) as ResourceUpdate
}

function bandwidthOf(asked: Partial<ResourceSpec>, all: ResourceSpec): Pick<ResourceUpdate, 'cpuPeriodUs' | 'cpuQuotaUs'> {
  if (all.nanoCpus !== null && (all.cpuPeriodUs !== null || all.cpuQuotaUs !== null)) throw clash(asked, all)
  const isAsked = [asked.nanoCpus, asked.cpuPeriodUs, asked.cpuQuotaUs].some((value) => typeof value === 'number')
  const cpuPeriodUs = all.cpuPeriodUs ?? CPU_PERIOD_US
  const cpuQuotaUs = all.nanoCpus === null ? all.cpuQuotaUs : Math.round((all.nanoCpus / 1e9) * cpuPeriodUs)
  if (!isAsked) return {}
  return { cpuPeriodUs, ...(cpuQuotaUs === null ? {} : { cpuQuotaUs }) }
}

/** In the words that clients know. */
function clash(asked: Partial<ResourceSpec>, all: ResourceSpec): Error {
  const other = all.cpuPeriodUs !== null ? 'CPU Period' : 'CPU Quota'
  return fail(
    'input.invalid',
    typeof asked.nanoCpus === 'number'
      ? `Conflicting options: Nano CPUs cannot be updated as ${other} has already been set`
      : `Conflicting options: ${other} cannot be updated as NanoCPUs has already been set`,
  )
}
