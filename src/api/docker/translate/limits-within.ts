import type { ResourceSpec } from '#engine/containers'

import type { LimitSupport } from '../engine.ts'
import { dockerError } from '../errors.ts'

export interface LimitsWithin {
  readonly resources: ResourceSpec
  readonly warnings: readonly string[]
}

/**
 * The wanted limits without those that this kernel cannot keep, each with a warning in the words that clients know from dockerd.
 * Processors and memory nodes that are not there, and real-time limits where there are none, are errors: `docker.field_invalid`.
 */
export function limitsWithin(wanted: ResourceSpec, support: LimitSupport | undefined): LimitsWithin {
  if (support === undefined) return { resources: wanted, warnings: [] }
  const warnings: string[] = []
  let resources = wanted
  const discard = (isAsked: boolean, isSupported: boolean, change: (from: ResourceSpec) => ResourceSpec, warning: string) => {
    if (!isAsked || isSupported) return
    resources = change(resources)
    warnings.push(warning)
  }
  const without = (change: Partial<ResourceSpec>) => (from: ResourceSpec) => ({ ...from, ...change })
  const noCgroup = (what: string) => `Your kernel does not support ${what} or the cgroup is not mounted.`

  discard(
    wanted.memoryBytes !== null,
    support.hasMemory,
    without({ memoryBytes: null, memorySwapBytes: null }),
    `${noCgroup('memory limit capabilities')} Limitation discarded.`,
  )
  discard(
    resources.memoryBytes !== null && resources.memorySwapBytes !== -1,
    support.hasSwap,
    without({ memorySwapBytes: -1 }),
    `${noCgroup('swap limit capabilities')} Memory limited without swap.`,
  )
  discard(
    wanted.memorySwappiness !== undefined,
    support.hasSwappiness,
    leavingOut('memorySwappiness'),
    `${noCgroup('memory swappiness capabilities')} Memory swappiness discarded.`,
  )
  discard(
    wanted.memoryReservationBytes !== null,
    support.hasMemory,
    without({ memoryReservationBytes: null }),
    `${noCgroup('memory soft limit capabilities')} Limitation discarded.`,
  )
  discard(
    wanted.isOomKillDisabled,
    support.hasOomKillDisable,
    without({ isOomKillDisabled: false }),
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  )
  if (resources.isOomKillDisabled && resources.memoryBytes === null)
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    )
  discard(
    (wanted.pidsLimit ?? 0) > 0,
    support.hasPids,
    without({ pidsLimit: null }),
    `${noCgroup('PIDs limit capabilities')} PIDs limit discarded.`,
  )
  discard(
    wanted.cpuShares !== null,
    support.hasCpuShares,
    without({ cpuShares: null }),
    `${noCgroup('CPU shares')} Shares discarded.`,
  )
  if (wanted.nanoCpus !== null && !support.hasCpuQuota)
    throw invalid('NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted')
  discard(
    wanted.cpuPeriodUs !== null || wanted.cpuQuotaUs !== null,
    support.hasCpuQuota,
    without({ cpuPeriodUs: null, cpuQuotaUs: null }),
    `${noCgroup('CPU CFS scheduler')} CPU period/quota discarded.`,
  )
  if (wanted.cpuRealtimePeriodUs !== undefined && !support.hasCpuRealtime)
    throw invalid('Your kernel does not support CPU real-time period')
  if (wanted.cpuRealtimeRuntimeUs !== undefined && !support.hasCpuRealtime)
    throw invalid('Your kernel does not support CPU real-time runtime')
  discard(
    wanted.cpusetCpus !== '' || wanted.cpusetMems !== '',
    support.hasCpuset,
    without({ cpusetCpus: '', cpusetMems: '' }),
    `${noCgroup('cpuset')} CPUs or memory nodes discarded.`,
  )
  checkAvailable('CPUs', resources.cpusetCpus, support.availableCpus)
  checkAvailable('memory nodes', resources.cpusetMems, support.availableMems)
  discard(
    wanted.blkioWeight !== null,
    support.hasBlkioWeight,
    without({ blkioWeight: null }),
    `${noCgroup('Block I/O weight')} Weight discarded.`,
  )
  discard(
    wanted.blkioWeightDevices !== undefined,
    support.hasBlkioWeightDevice,
    leavingOut('blkioWeightDevices'),
    `${noCgroup('Block I/O weight_device')} Weight-device discarded.`,
  )
  discard(
    wanted.blkioDevices.length > 0,
    support.hasBlkioThrottle,
    without({ blkioDevices: [] }),
    `${noCgroup('Block I/O limits')} Block I/O limits discarded.`,
  )
  return { resources, warnings }
}

const NO_LIMITS: ResourceSpec = {
  ...{ memoryBytes: null, memorySwapBytes: null, memoryReservationBytes: null, nanoCpus: null, cpuShares: null },
  ...{ cpuPeriodUs: null, cpuQuotaUs: null, cpusetCpus: '', cpusetMems: '', pidsLimit: null, blkioWeight: null },
  ...{ blkioDevices: [], isOomKillDisabled: false, oomScoreAdj: 0, ulimits: [], shmBytes: 0, cgroupParent: '' },
}

/** The same for an update: of what it names. */
export function changeWithin(
  change: Partial<ResourceSpec>,
  support: LimitSupport | undefined,
): { readonly resources: Partial<ResourceSpec>; readonly warnings: readonly string[] } {
  const all = { ...NO_LIMITS, ...change }
  const { resources, warnings } = limitsWithin(all, support)
  const isKept = (name: string) => resources[name as keyof ResourceSpec] === all[name as keyof ResourceSpec]
  return { resources: Object.fromEntries(Object.entries(change).filter(([name]) => isKept(name))), warnings }
}

function leavingOut(name: 'memorySwappiness' | 'blkioWeightDevices'): (from: ResourceSpec) => ResourceSpec {
  return (from) => {
    const { [name]: _left, ...rest } = from
    return rest
  }
}

function checkAvailable(what: string, wanted: string, available: string): void {
  if (wanted === '' || available === '') return
  const has = numbersOf(available)
  if (![...numbersOf(wanted)].every((number) => has.has(number)))
    throw invalid(`Requested ${what} are not available - requested ${wanted}, available: ${available}`)
}

/** More processors than any kernel is built for. */
const MAX_NUMBER = 8192

/** `0-3,5`: cpuset(7), list format. */
function numbersOf(list: string): ReadonlySet<number> {
  const ranges = list.split(',').map((range) => range.split('-').map(Number))
  return new Set(
    ranges.flatMap(([first = 0, last = first]) =>
      Array.from({ length: Math.max(0, Math.min(last, MAX_NUMBER) - first + 1) }, (_, i) => first + i),
    ),
  )
}

function invalid(message: string): Error {
  return dockerError('docker.field_invalid', message)
}
