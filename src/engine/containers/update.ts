import type { ResourceUpdate } from '#engine/runtime'

import type { Context } from './context.ts'
import { publish } from './create.ts'
import type { LiveContainer } from './live.ts'
import type { Containers } from './port.ts'
import type { ResourceSpec } from './spec.ts'

const CPU_PERIOD_US = 100_000

/** New limits, in the record and, when it runs, in its cgroup. The kernel has its say first: what it refuses is not recorded. */
export async function updateContainer(
  context: Context,
  live: LiveContainer,
  change: Parameters<Containers['update']>[1],
): Promise<readonly string[]> {
  const { record } = live
  const resources: ResourceSpec = { ...record.spec.resources, ...change.resources }
  const limits = limitsOf(change.resources, resources)
  if (live.process !== null && Object.keys(limits).length > 0) await context.runtime.update(record.id, limits)
  context.registry.replace(live, {
    ...live.record,
    spec: { ...record.spec, resources, restart: change.restart ?? record.spec.restart },
  })
  publish(context, live.record, 'update')
  return []
}

/** Only what was asked for: what is left out stays as it is. */
function limitsOf(asked: Partial<ResourceSpec>, all: ResourceSpec): ResourceUpdate {
  const numbers = {
    memoryBytes: asked.memoryBytes,
    memorySwapBytes: asked.memorySwapBytes,
    memoryReservationBytes: asked.memoryReservationBytes,
    cpuShares: asked.cpuShares,
    cpuPeriodUs: asked.cpuPeriodUs,
    cpuQuotaUs: asked.nanoCpus === undefined ? asked.cpuQuotaUs : quotaOf(all),
    blkioWeight: asked.blkioWeight,
    pidsLimit: asked.pidsLimit,
  }
  const texts = { cpusetCpus: asked.cpusetCpus, cpusetMems: asked.cpusetMems }
  return Object.fromEntries([
    ...Object.entries(numbers).filter(([, value]) => typeof value === 'number'),
    ...Object.entries(texts).filter(([, value]) => value !== undefined && value !== ''),
  ]) as ResourceUpdate
}

function quotaOf(resources: ResourceSpec): number | null {
  return resources.nanoCpus === null
    ? resources.cpuQuotaUs
    : Math.round((resources.nanoCpus / 1e9) * (resources.cpuPeriodUs ?? CPU_PERIOD_US))
}
